// SPDX-License-Identifier: Apache-2.0
import { type Endpoint, type Event, type Hold, type Rollout, type RolloutStep, ours } from "../api";
import { type Difference, LOSSES, cell, difference, logEvidence, requests } from "../canary";
import { evalue, number, percent, points, quoted, share, time } from "../format";
import { Actor, Banner, Facts, Hashes, Loaded, Name, State, Table, View, timeColumn } from "../parts";
import { useResource } from "../resource";

export const isOpen = (rollout: Rollout) =>
  rollout.state === "active" || rollout.state === "paused";

export function RolloutView({ id }: { id: string }) {
  const rollout = useResource(
    id,
    () => ours<Rollout>(`rollouts/${encodeURIComponent(id)}`),
    true,
    isOpen,
  );
  const title = rollout.value ? `Rollout of version ${rollout.value.challenger}` : "Rollout";
  return (
    <View title={title} command={`slipway rollout show ${quoted(id)}`}>
      <Loaded from={rollout} what="the rollout">
        {(value) => (
          <>
            {isOpen(value) && <HoldOf endpoint={value.endpoint} />}
            <RolloutShown rollout={value} />
          </>
        )}
      </Loaded>
    </View>
  );
}

function HoldOf({ endpoint }: { endpoint: string }) {
  const found = useResource(
    "hold of " + endpoint,
    () => ours<Endpoint>(`endpoints/${encodeURIComponent(endpoint)}`),
    true,
  );
  return <HoldBanner endpoint={endpoint} hold={found.value?.hold ?? null} />;
}

// A rollback's hold: automation moves nothing at the endpoint until it ends.
export function HoldBanner({ endpoint, hold }: { endpoint: string; hold: Hold | null }) {
  if (!hold) return null;
  return (
    <Banner title="Under hold" command={`slipway endpoint release ${quoted(endpoint)}`}>
      Automation moves nothing here{" "}
      {hold.until ? (
        <>
          until <time dateTime={hold.until}>{time(hold.until)} UTC</time>
        </>
      ) : (
        "until it is released"
      )}
      . Held by {hold.actor}
      {hold.set_at && ` on ${time(hold.set_at)} UTC`}: <bdi>{hold.reason || "no reason given"}</bdi>
    </Banner>
  );
}

function PausedBanner({ rollout, events }: { rollout: Rollout; events: Event[] }) {
  const pause = events.filter((event) => event.type === "rollout.paused").at(-1);
  return (
    <Banner title="Rollout paused" command={`slipway rollout resume ${quoted(rollout.id)}`}>
      Version {rollout.champion} answers everything and nothing is decided until somebody resumes
      it.
      {pause && (
        <>
          {" "}
          Paused by {pause.actor} on {time(pause.recorded_at)} UTC
          {pause.body.reason ? `: ${String(pause.body.reason)}` : "."}
        </>
      )}
    </Banner>
  );
}

export function RolloutShown({ rollout }: { rollout: Rollout }) {
  const reached = rollout.steps.filter(
    (step, index) => index <= rollout.step && (requests(step) > 0 || step.started_event_time),
  );
  const events = useResource(
    "rollout events " + rollout.id,
    async () =>
      (await ours<{ events: Event[] }>("events", { subject: `rollout:${rollout.id}`, limit: 100 }))
        .events,
    true,
  );
  const judgement = rollout.judgement;
  const losses = rollout.losses ?? Object.keys(judgement?.numbers?.losses ?? {});
  const judged = losses.length ? LOSSES.filter((loss) => losses.includes(loss)) : LOSSES;
  const why = rollout.reason || judgement?.reason;
  const step = rollout.steps[rollout.step];
  return (
    <>
      {rollout.state === "paused" && <PausedBanner rollout={rollout} events={events.value ?? []} />}
      <Facts
        of={[
          ["State", <State of={rollout.state} />],
          [
            "Endpoint",
            <a href={`/endpoints/${encodeURIComponent(rollout.endpoint)}`}>
              <Name of={rollout.endpoint} />
            </a>,
          ],
          ["Challenger", `version ${rollout.challenger}`],
          ["Champion", `version ${rollout.champion}`],
          ...(rollout.state === "active"
            ? ([
                [
                  "Challenger's traffic",
                  `${percent(step?.weight ?? 0)} (step ${rollout.step + 1} of ${rollout.steps.length})`,
                ],
              ] as [string, string][])
            : []),
          ["Requests judged", number(reached.reduce((sum, one) => sum + requests(one), 0))],
          ["Started (UTC)", time(rollout.started_event_time)],
          ...(rollout.finished_event_time
            ? ([["Ended (UTC)", time(rollout.finished_event_time)]] as [string, string][])
            : []),
        ]}
      />
      {why && <p class="why">{why}</p>}
      <Compared rollout={rollout} steps={reached} judged={judged} />
      <Table
        caption="Steps: bad answers of all, by arm"
        file="steps"
        rows={rollout.steps.map((one, index) => ({ ...one, index }))}
        id={(one) => String(one.index)}
        columns={[
          { key: "step", title: "Step", numeric: true, raw: (one) => one.index + 1 },
          {
            key: "weight",
            title: "Share",
            numeric: true,
            raw: (one) => one.weight,
            cell: (one) => percent(one.weight),
          },
          timeColumn("since", "Since (UTC)", (one: RolloutStep) => one.started_event_time),
          ...(["challenger", "champion"] as const).flatMap((arm) =>
            judged.flatMap((loss) => [
              {
                key: `${arm} ${loss} bad`,
                title: `${arm}: ${loss}`,
                numeric: true,
                raw: (one: RolloutStep) => cell(one, loss, arm).bad,
                cell: (one: RolloutStep) => {
                  const { bad, good } = cell(one, loss, arm);
                  return share(bad, bad + good);
                },
              },
              {
                key: `${arm} ${loss} n`,
                title: `${arm}: ${loss}, of`,
                unseen: true,
                raw: (one: RolloutStep) => {
                  const { bad, good } = cell(one, loss, arm);
                  return bad + good;
                },
              },
            ]),
          ),
        ]}
      />
      <Loaded from={events} what="events">
        {(list) => <Events list={list} caption="What happened to it" />}
      </Loaded>
    </>
  );
}

interface Judged extends Difference {
  loss: string;
  promote: number;
  back: number;
}

// Each loss's difference with its interval and rows, drawn against the two lines that decide, and
// the evidence for either decision.
function Compared({
  rollout,
  steps,
  judged,
}: {
  rollout: Rollout;
  steps: RolloutStep[];
  judged: string[];
}) {
  const { delta, alpha_promote, alpha_rollback } = rollout;
  const alone = alpha_rollback / judged.length; // what one loss needs; all share the promise
  const rows: Judged[] = judged.map((loss) => ({
    loss,
    ...difference(steps, loss, alone, alpha_promote),
    promote: Math.exp(logEvidence(steps, loss, delta, true)),
    back: Math.exp(logEvidence(steps, loss, 0, false)),
  }));
  const mean = rows.reduce((sum, one) => sum + one.back, 0) / rows.length;
  const sum = (one: { bad: number; good: number }) => one.bad + one.good;
  return (
    <>
      <Table
        caption={
          "Bad answers, challenger less champion, in percentage points. However often one looks, an upper end is wrong at most " +
          `${percent(alpha_promote)} of the time, and any of the lower ends at most ${percent(alpha_rollback)}`
        }
        file="comparison"
        rows={rows}
        id={(one) => one.loss}
        columns={[
          {
            key: "loss",
            title: "Loss",
            raw: (one) => one.loss,
            cell: ({ loss }) =>
              loss === "slow" && rollout.latency_limit_ms
                ? `slow (over ${number(rollout.latency_limit_ms)} ms)`
                : loss,
          },
          {
            key: "estimate",
            title: "Difference",
            numeric: true,
            raw: (one) => one.estimate,
            cell: (one) => points(one.estimate),
          },
          {
            key: "lo",
            title: "from",
            numeric: true,
            raw: (one) => one.lo,
            cell: (one) => points(one.lo),
          },
          {
            key: "hi",
            title: "to",
            numeric: true,
            raw: (one) => one.hi,
            cell: (one) => points(one.hi),
          },
          {
            key: "delta",
            title: `with 0 and ${points(delta)}`,
            raw: () => delta,
            cell: (one) => <Band of={one} delta={delta} all={rows} />,
          },
          {
            key: "n challenger",
            title: "n challenger",
            numeric: true,
            raw: (one) => sum(one.challenger),
          },
          {
            key: "n champion",
            title: "n champion",
            numeric: true,
            raw: (one) => sum(one.champion),
          },
          {
            key: "e promote",
            title: `e for promotion (needs ${number(1 / alpha_promote, 3)})`,
            numeric: true,
            raw: (one) => one.promote,
            cell: (one) => evalue(one.promote),
          },
          {
            key: "e rollback",
            title: `e for rollback (at ${number(1 / alone, 3)})`,
            numeric: true,
            raw: (one) => one.back,
            cell: (one) => evalue(one.back),
          },
        ]}
      />
      <p class="quiet">
        Promoted once every interval ends below {points(delta)}, what the challenger may be worse
        by. Rolled back once one begins above 0, or the mean e for rollback, now {evalue(mean)},
        reaches {number(1 / alpha_rollback, 3)}.
      </p>
    </>
  );
}

const BAND = { width: 220, height: 26, most: 0.1 }; // ends beyond `most` run off the edge

// The interval on a scale that all losses share; its words stand in the cells beside it.
function Band({ of, delta, all }: { of: Difference; delta: number; all: Difference[] }) {
  const ends = all.flatMap((one) => [Math.abs(one.lo), Math.abs(one.hi)]);
  const reach = Math.max(1.5 * delta, ...ends.filter((end) => end < BAND.most));
  const x = (value: number) => BAND.width * (0.5 + 0.48 * Math.max(-1, Math.min(1, value / reach)));
  const middle = BAND.height / 2;
  return (
    <svg
      class="band"
      width={BAND.width}
      height={BAND.height}
      viewBox={`0 0 ${BAND.width} ${BAND.height}`}
      aria-hidden="true"
    >
      <line class="zero" x1={x(0)} x2={x(0)} y1={0} y2={BAND.height} />
      <line class="limit" x1={x(delta)} x2={x(delta)} y1={0} y2={BAND.height} />
      <rect x={x(of.lo)} y={middle - 4} width={Math.max(1, x(of.hi) - x(of.lo))} height={8} />
      {of.estimate !== null && <circle cx={x(of.estimate)} cy={middle} r={3.5} />}
    </svg>
  );
}

export function Events({ list, caption }: { list: Event[]; caption: string }) {
  return (
    <Table
      caption={caption}
      file="events"
      rows={list}
      id={(event) => String(event.seq)}
      columns={[
        timeColumn("event_time", "Event time (UTC)", (event: Event) => event.event_time),
        {
          key: "type",
          title: "What",
          whole: true,
          raw: (event) => event.type,
          cell: (event) => <a href={`/story?event=${event.seq}`}>{event.type}</a>,
        },
        {
          key: "actor",
          title: "Who",
          raw: (event) => event.actor,
          cell: (event) => <Actor of={event.actor} />,
        },
        {
          key: "reason",
          title: "Why",
          long: true,
          raw: (event) => String(event.body.reason ?? ""),
        },
        {
          key: "evidence",
          title: "Evidence",
          raw: (event) => event.evidence.join(" "),
          cell: (event) => <Hashes of={event.evidence} />,
        },
      ]}
    />
  );
}
