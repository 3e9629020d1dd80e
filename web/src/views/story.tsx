// SPDX-License-Identifier: Apache-2.0
import { useSignal } from "@preact/signals";

import { type Event, type StoryLine, ours } from "../api";
import { day, days, number, time } from "../format";
import { Facts, Loaded, View } from "../parts";
import { useResource } from "../resource";
import { query, withSettings } from "../route";
import { Tree } from "./tree";

interface Told {
  lines: StoryLine[];
  summary?: Record<string, unknown>;
}

const look = (type: string) =>
  /refused|failed|rolled_back|alarm\.|expired|aborted|paused/.test(type)
    ? "warn"
    : /promoted|alias\.moved/.test(type)
      ? "good"
      : "";

// A line begins with what happened, and that leads to its grounds; the numbers follow.
function parts(line: StoryLine): [string, string] {
  const sentence = days(line.sentence);
  let at = sentence.indexOf(": ");
  if (line.type === "gate.evaluated" && at >= 0) at = sentence.indexOf(": ", at + 2);
  return at < 0 ? [sentence, ""] : [sentence.slice(0, at), sentence.slice(at)];
}

// What happened, newest first: each line with its numbers, and the command that shows its grounds.
export function StoryView() {
  const found = useResource("story", () => ours<Told>("story"), true);
  const seq = Number(query.value.get("event") ?? 0);
  return (
    <View title="Story" command="slipway story">
      {seq > 0 && <Grounds seq={seq} />}
      <p class="quiet">
        Every alarm, retraining, comparison, promotion and refusal, with the numbers it rests on.
      </p>
      <Loaded from={found} what="the story">
        {(told) =>
          told.lines.length ? (
            <Lines told={told} />
          ) : (
            <p>
              Nothing happened yet. <code>slipway apply</code> brings what a{" "}
              <code>slipway.yaml</code> describes; <code>slipway repro</code> trains.
            </p>
          )
        }
      </Loaded>
    </View>
  );
}

function Lines({ told: { lines, summary } }: { told: Told }) {
  const oldest = useSignal(false);
  const counts = Object.entries(summary ?? {}).filter(([, value]) => typeof value === "number");
  return (
    <>
      <Facts of={counts.map(([name, value]) => [name.replace(/_/g, " "), number(value)])} />
      <p>
        <button
          type="button"
          aria-pressed={oldest.value}
          onClick={() => (oldest.value = !oldest.value)}
        >
          Oldest first
        </button>{" "}
        <span class="quiet">{number(lines.length)} lines</span>
      </p>
      <ol class="story" reversed={!oldest.value}>
        {(oldest.value ? lines : [...lines].reverse()).map((line) => {
          const [what, why] = parts(line);
          return (
            <li key={line.seq} class={look(line.type)}>
              <time dateTime={line.event_time}>{day(line.event_time)}</time>
              <span class="word">{line.word}</span>
              <p>
                {line.page ? <a href={line.page}>{what}</a> : what}
                {why}
              </p>
              <code>{line.command}</code>
            </li>
          );
        })}
      </ol>
    </>
  );
}

interface Evidence {
  hash: string;
  kind: string;
  subject: string;
  body: Record<string, unknown>;
}

// One event with the documents that it rests on.
function Grounds({ seq }: { seq: number }) {
  const found = useResource(`event ${seq}`, async () => {
    const { events } = await ours<{ events: Event[] }>("events", { after: seq - 1, limit: 1 });
    const event = events[0];
    if (!event) throw new Error(`there is no event ${seq}`);
    const evidence = await Promise.all(
      event.evidence.map((hash) => ours<Evidence>(`evidence/${hash}`)),
    );
    return { event, evidence };
  });
  return (
    <section class="live" aria-labelledby="grounds">
      <h2 id="grounds">Event {seq}</h2>
      <Loaded from={found} what="the event">
        {({ event, evidence }) => (
          <>
            <Facts
              of={[
                ["What", event.type],
                ["Of", event.subject],
                ["Who", event.actor],
                ["Event time (UTC)", time(event.event_time)],
                ["Recorded (UTC)", time(event.recorded_at)],
              ]}
            />
            <Tree of={event.body} />
            {evidence.map((one) => (
              <details key={one.hash} open={evidence.length === 1}>
                <summary>
                  Evidence {one.hash.slice(0, 12)}: {one.kind}
                </summary>
                <Tree of={one.body} />
              </details>
            ))}
            <p>
              <a href={withSettings({ event: "" })}>Close</a>
            </p>
          </>
        )}
      </Loaded>
    </section>
  );
}
