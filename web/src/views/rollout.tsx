// SPDX-License-Identifier: Apache-2.0
import { type Arms, type Event, type Rollout, type RolloutStep, ours } from "../api";
import { number, percent, share, time } from "../format";
import { Actor, Facts, Hashes, Loaded, State, Table, View } from "../parts";
import { useResource } from "../resource";

export function RolloutView({ id }: { id: string }) {
  const rollout = useResource(id, () => ours<Rollout>(`rollouts/${encodeURIComponent(id)}`), true);
  const title = rollout.value ? `Rollout of version ${rollout.value.challenger}` : "Rollout";
  return (
    <View title={title} command={`slipway rollout show ${id}`}>
      <Loaded from={rollout} what="the rollout">
        {(value) => <RolloutShown rollout={value} />}
      </Loaded>
    </View>
  );
}

const LOSSES = ["error", "slow", "nan"];
const cell = (step: RolloutStep, loss: string, arm: keyof Arms) =>
  step.counters?.[loss]?.[arm] ?? { bad: 0, good: 0 };
const requests = (step: RolloutStep) =>
  (["champion", "challenger"] as const).reduce((sum, arm) => {
    const one = cell(step, "error", arm);
    return sum + one.bad + one.good;
  }, 0);
const base = (step: RolloutStep, loss: string) =>
  (Array.isArray(step.c0) ? step.c0[LOSSES.indexOf(loss)] : step.c0?.[loss]) ?? 0;

// Evidence of one loss from the counters alone, as anybody can compute it: the mean over twenty
// bets of the product over steps and cells.
// `promote`: against "the challenger is worse by delta or more"; else against "the challenger is
// not worse".
export function evidence(
  steps: RolloutStep[],
  loss: string,
  delta: number,
  promote: boolean,
): number {
  const logs = Array.from({ length: 20 }, (_, j) => {
    const bet = 0.9 * 2 ** (-j / 2);
    let log = 0;
    for (const step of steps) {
      const w = step.weight,
        least = Math.min(w, 1 - w),
        c0 = base(step, loss);
      for (const [arm, sign] of [
        ["challenger", 1 / w],
        ["champion", -1 / (1 - w)],
      ] as const) {
        const counted = cell(step, loss, arm);
        for (const [n, y] of [
          [counted.bad, 1],
          [counted.good, 0],
        ] as const) {
          const x = (y - c0) * sign;
          log += n * Math.log1p(bet * least * (promote ? delta - x : x));
        }
      }
    }
    return log;
  });
  const most = Math.max(...logs);
  return (Math.exp(most) * logs.reduce((sum, log) => sum + Math.exp(log - most), 0)) / 20;
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
  const open = rollout.state === "active" || rollout.state === "paused";
  const judgement = rollout.judgement;
  const losses = rollout.losses ?? Object.keys(judgement?.numbers?.losses ?? {});
  const judged = losses.length ? LOSSES.filter((loss) => losses.includes(loss)) : LOSSES;
  return (
    <>
      <Facts
        of={[
          [
            "Endpoint",
            <a href={`/endpoints/${encodeURIComponent(rollout.endpoint)}`}>{rollout.endpoint}</a>,
          ],
          ["State", <State of={rollout.state} />],
          ["Challenger", `version ${rollout.challenger}`],
          ["Champion", `version ${rollout.champion}`],
          [
            "Traffic now",
            rollout.state === "active" ? percent(rollout.steps[rollout.step]?.weight ?? 0) : "–",
          ],
          ["May be worse by", percent(rollout.delta)],
          ["Started (UTC)", time(rollout.started_event_time)],
          ["Ended (UTC)", time(rollout.finished_event_time)],
          ...(judgement?.reason ? [["Now", judgement.reason] as [string, string]] : []),
          ...(rollout.reason ? [["Why", rollout.reason] as [string, string]] : []),
        ]}
      />
      <Table
        caption="Steps: bad answers of all, by arm"
        rows={rollout.steps.map((step, index) => ({ ...step, index }))}
        id={(step) => String(step.index)}
        columns={[
          { key: "step", title: "Step", numeric: true, cell: (step) => step.index + 1 },
          { key: "weight", title: "Share", numeric: true, cell: (step) => percent(step.weight) },
          { key: "since", title: "Since", cell: (step) => time(step.started_event_time) },
          ...(["challenger", "champion"] as const).flatMap((arm) =>
            judged.map((loss) => ({
              key: arm + loss,
              title: `${arm}: ${loss}`,
              numeric: true,
              cell: (step: RolloutStep) => {
                const one = cell(step, loss, arm);
                return share(one.bad, one.bad + one.good);
              },
            })),
          ),
        ]}
      />
      <Table
        caption={`Evidence ${open ? "so far" : "at its end"}, valid whenever one looks`}
        rows={judged}
        id={(loss) => loss}
        columns={[
          { key: "loss", title: "Loss", cell: (loss) => loss },
          {
            key: "promote",
            title: "e for promotion",
            numeric: true,
            cell: (loss) => number(evidence(reached, loss, rollout.delta, true), 4),
          },
          {
            key: "need",
            title: "needs",
            numeric: true,
            cell: () => number(1 / rollout.alpha_promote, 3),
          },
          {
            key: "back",
            title: "e for rollback",
            numeric: true,
            cell: (loss) => number(evidence(reached, loss, rollout.delta, false), 4),
          },
          {
            key: "limit",
            title: "rolls back at",
            numeric: true,
            cell: () => number(1 / rollout.alpha_rollback, 3),
          },
        ]}
      />
      <Loaded from={events} what="events">
        {(list) => <Events list={list} caption="What happened to it" />}
      </Loaded>
    </>
  );
}

export function Events({ list, caption }: { list: Event[]; caption: string }) {
  return (
    <Table
      caption={caption}
      rows={list}
      id={(event) => String(event.seq)}
      columns={[
        {
          key: "time",
          title: "Event time (UTC)",
          whole: true,
          cell: (event) => time(event.event_time),
        },
        { key: "type", title: "What", whole: true, cell: (event) => event.type },
        { key: "actor", title: "Who", cell: (event) => <Actor of={event.actor} /> },
        {
          key: "why",
          title: "Why",
          long: true,
          cell: (event) => String(event.body.reason ?? ""),
        },
        {
          key: "evidence",
          title: "Evidence",
          cell: (event) => <Hashes of={event.evidence} />,
        },
      ]}
    />
  );
}
