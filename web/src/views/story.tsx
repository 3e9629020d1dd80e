// SPDX-License-Identifier: Apache-2.0
import { useSignal } from "@preact/signals";

import { type StoryLine, ours } from "../api";
import { csv, csvName, save } from "../csv";
import { day, days, number } from "../format";
import { Command, Facts, Loaded, View } from "../parts";
import { useResource } from "../resource";
import { go, query, withSettings } from "../route";
import { EventView } from "./evidence";

interface Told {
  lines: StoryLine[];
  summary?: Record<string, unknown>;
  left_off?: number; // older lines that the server did not send
}

const look = (type: string) =>
  /refused|failed|rolled_back|alarm\.|expired|aborted|paused/.test(type)
    ? "warn"
    : /promoted|alias\.moved/.test(type)
      ? "good"
      : "";

// Steps on the way to a decision, for who wants the decisions alone.
const ROUTINE = /^(trigger\.fired|retraining\.(started|finished)|rollout\.step)$/;

// A line begins with what happened, and that leads to its grounds; the numbers follow.
function parts(line: StoryLine): [string, string] {
  const sentence = days(line.sentence);
  let at = sentence.indexOf(": ");
  if (line.type === "gate.evaluated" && at >= 0) at = sentence.indexOf(": ", at + 2);
  return at < 0 ? [sentence, ""] : [sentence.slice(0, at), sentence.slice(at)];
}

// What happened, newest first: each line with its numbers leads to its grounds, and to the command
// that shows them.
export function StoryView() {
  const seq = Number(query.value.get("event") ?? 0);
  return seq > 0 ? <EventView key={seq} seq={seq} /> : <Whole />;
}

function Whole() {
  const found = useResource("story", () => ours<Told>("story"), true);
  return (
    <View title="Story" command="slipway story">
      <Loaded from={found} what="the story">
        {(told) => (told.lines.length ? <Lines told={told} /> : <Welcome />)}
      </Loaded>
    </View>
  );
}

// The first thing that somebody sees of a new store.
function Welcome() {
  return (
    <>
      <p>
        Nothing happened yet. What you record, serve and decide will be told here, each line with
        its numbers. Three ways to begin, each alone or one after the other:
      </p>
      <ol class="welcome">
        <li>
          <h2>Record an experiment</h2>
          <p>Point any script that logs to MLflow at this server, and run it as it is:</p>
          <Command text={`export MLFLOW_TRACKING_URI=${location.origin}`} />
          <p>
            Its runs and curves appear under <a href="/runs">Runs</a>.
          </p>
        </li>
        <li>
          <h2>Run a pipeline</h2>
          <p>In a git repository that has a dvc.yaml: runs what changed, and records each stage.</p>
          <Command text={`SLIPWAY_URL=${location.origin} slipway repro`} />
        </li>
        <li>
          <h2>Serve a model</h2>
          <p>
            Write into slipway.yaml which model an endpoint serves, what watches it and what a new
            version must prove; then look at the plan and apply it:
          </p>
          <Command text="slipway plan" />
          <Command text="slipway apply" />
          <p>
            What serves appears under <a href="/endpoints">Endpoints</a>.
          </p>
        </li>
      </ol>
    </>
  );
}

const count = (summary: Record<string, unknown>, key: string) => Number(summary[key] ?? 0);

function facts(summary: Record<string, unknown>): [string, string][] {
  const lead = Array.isArray(summary.lead_times_days) ? summary.lead_times_days.length : 0;
  const of = (key: string, ...parts: [string, string][]) =>
    number(count(summary, key)) +
    (count(summary, key) && parts.length
      ? ` (${parts.map(([part, word]) => `${number(count(summary, part))} ${word}`).join(", ")})`
      : "");
  return [
    ["Alarms", of("alarms")],
    ["Retrainings", of("retrainings", ["retrainings_failed", "failed"])],
    ["Comparisons", of("comparisons")],
    ["Deployments", of("deployments")],
    [
      "Challengers refused",
      of("refused", ["refused_by_gate", "by the gate"], ["refused_by_rollout", "by a rollout"]),
    ],
    ...(lead
      ? ([
          [
            "Lead time, trigger to all traffic",
            `${number(summary.lead_time_days_median, 3)} days (median, n = ${number(lead)})`,
          ],
        ] as [string, string][])
      : []),
  ];
}

function Lines({ told: { lines, summary, left_off = 0 } }: { told: Told }) {
  const oldest = useSignal(false);
  const decisions = query.value.get("show") === "decisions";
  const shown = decisions ? lines.filter((line) => !ROUTINE.test(line.type)) : lines;
  const ordered = oldest.value ? shown : [...shown].reverse();
  const byDay: { day: string | null; lines: StoryLine[] }[] = []; // null: before the first request
  for (const line of ordered) {
    const on = line.event_time === null ? null : day(line.event_time);
    if (!byDay.length || byDay.at(-1)?.day !== on) byDay.push({ day: on, lines: [] });
    byDay.at(-1)!.lines.push(line);
  }
  const download = () =>
    save(
      csvName("lines"),
      csv(
        ["event_time", "type", "word", "sentence", "command"],
        ordered.map((line) => [line.event_time, line.type, line.word, line.sentence, line.command]),
      ),
    );
  return (
    <>
      <p class="quiet">
        Every alarm, retraining, comparison, promotion and refusal, with the numbers it rests on.
      </p>
      {summary && <Facts of={facts(summary)} />}
      <p class="tools">
        <button
          type="button"
          aria-pressed={decisions}
          onClick={() => go(withSettings({ show: decisions ? "" : "decisions" }), true)}
        >
          Decisions only
        </button>{" "}
        <button
          type="button"
          aria-pressed={oldest.value}
          onClick={() => (oldest.value = !oldest.value)}
        >
          Oldest first
        </button>{" "}
        <span class="quiet" role="status">
          {number(shown.length)} lines{left_off > 0 && `, and ${number(left_off)} older ones`}
        </span>
        <button type="button" class="small last" aria-label="CSV of: the story" onClick={download}>
          CSV
        </button>
      </p>
      {byDay.map((one) => (
        <div key={one.lines[0]!.seq} class="day">
          <h2>
            {one.day ? <time dateTime={one.day}>{one.day}</time> : "Before the first request"}
          </h2>
          <ol class="story">
            {one.lines.map((line) => (
              <Line key={line.seq} line={line} />
            ))}
          </ol>
        </div>
      ))}
    </>
  );
}

function Line({ line }: { line: StoryLine }) {
  const [what, why] = parts(line);
  return (
    <li class={look(line.type)}>
      <span class="word">{line.word}</span>
      <p>
        {line.page ? <a href={line.page}>{what}</a> : what}
        {why}
        {!line.page && line.command && (
          <>
            {" "}
            <code>{line.command}</code>
          </>
        )}
      </p>
    </li>
  );
}
