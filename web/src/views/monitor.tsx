// SPDX-License-Identifier: Apache-2.0
import { useMemo } from "preact/hooks";

import { type Alarm, type Monitor, type Rollout, ours } from "../api";
import { Chart, type Line, type Mark } from "../chart";
import { day, number, percent } from "../format";
import { Facts, Loaded, Name, State, Table, timeColumn } from "../parts";
import { useResource } from "../resource";

const BLOCKS_SHOWN = 2_000;

export function Monitors({ endpoint }: { endpoint: string }) {
  const found = useResource(
    "monitors " + endpoint,
    async () => {
      const [{ monitors }, { rollouts }] = await Promise.all([
        ours<{ monitors: Monitor[] }>("monitors"),
        ours<{ rollouts: Rollout[] }>("rollouts", { endpoint }),
      ]);
      const promoted = rollouts.filter(
        (one) => one.state === "promoted" && one.finished_event_time,
      );
      return { list: monitors.filter((one) => one.spec.endpoint === endpoint), promoted };
    },
    true,
    ({ list }) => list.length > 0, // labels come without events
  );
  return (
    <section aria-labelledby="monitors">
      <h2 id="monitors">Monitor</h2>
      <Loaded from={found} what="monitors">
        {({ list, promoted }) =>
          list.length ? (
            <>
              {list.map((one) => (
                <MonitorShown key={one.name} monitor={one} promoted={promoted} />
              ))}
            </>
          ) : (
            <p class="quiet">Nothing watches this endpoint.</p>
          )
        }
      </Loaded>
    </section>
  );
}

// The state of now, and the blocks, which are asked for again only when one has closed.
function MonitorShown({ monitor, promoted }: { monitor: Monitor; promoted: Rollout[] }) {
  const { spec, status } = monitor;
  const history = useResource(
    JSON.stringify([monitor.name, status.blocks_closed, status.bound_loss, status.state, spec]),
    () => ours<Monitor>(`monitors/${encodeURIComponent(monitor.name)}`, { blocks: BLOCKS_SHOWN }),
  );
  return (
    <>
      <Facts
        of={[
          ["State", <State of={status.state} />],
          ["Monitor", <Name of={monitor.name} />],
          ...(status.reason ? [["Why", status.reason] as [string, string]] : []),
          ["Detector", `${number(status.value, 4)} (alarm at ${number(status.threshold)})`],
          ["Bound", status.bound_loss === null ? "being estimated" : number(status.bound_loss)],
          ["Promise", `at most one false alarm in ${number(status.threshold)} blocks, on average`],
          [
            "Labelled",
            `${number(status.rows_labelled)} of ${number(status.rows_predicted)} rows` +
              (status.rows_predicted
                ? ` (${percent(status.rows_labelled / status.rows_predicted)})`
                : ""),
          ],
          ...(status.independence.objects && spec.block === "none"
            ? [["Beware", "errors are clumped: name a block"] as [string, string]]
            : []),
        ]}
      />
      <Loaded from={history} what="blocks">
        {(value) => <History monitor={value} promoted={promoted} />}
      </Loaded>
    </>
  );
}

const seconds = (text: string) => Date.parse(text) / 1000;

// Losses and bound are shown in the loss's own unit, as the server sends them.
function History({ monitor, promoted }: { monitor: Monitor; promoted: Rollout[] }) {
  const { spec, status, alarms = [] } = monitor;
  const loss = spec.loss.replace(/_/g, " ");
  const drawn = useMemo(() => {
    const bound = status.bound_loss;
    const blocks = [...(monitor.blocks ?? [])].reverse();
    const x = blocks.map((one) => seconds(one.start));
    const limit = (name: string, value: number): Line => ({
      name,
      values: x.map(() => value),
      color: "limit",
      dashed: true,
      points: false,
    });
    const losses: Line[] = [
      {
        name: `mean ${loss}`,
        values: blocks.map((one) => one.mean_loss),
        points: false,
      },
    ];
    if (bound !== null) losses.push(limit("bound", bound));
    const values = blocks.map((one) => (one.judged ? one.value : null));
    const evidence: Line[] = [
      { name: "detector", values, color: "two", points: false },
      limit("alarm at", status.threshold),
    ];
    const marks: Mark[] = [
      ...promoted.map((one) => ({
        x: seconds(one.finished_event_time!),
        text: `v${one.challenger}`,
        plain: true,
      })),
      ...alarms.map((one) => ({ x: seconds(one.block), text: "alarm" })),
    ];
    return { x, losses, evidence, marks };
  }, [monitor, promoted.length]);
  const known = status.blocks_closed ?? 0;
  const shown = drawn.x.length;
  const blocks =
    known > shown
      ? `newest ${number(shown)} of ${number(known)} blocks`
      : `${number(shown)} blocks`;
  return (
    <>
      {shown > 0 && (
        <div class="charts">
          <Chart
            title="Mean loss by block"
            file={`${monitor.name}-loss`}
            x={drawn.x}
            lines={drawn.losses}
            xTitle={`${spec.block} (UTC)`}
            yTitle={`mean ${loss}`}
            time
            marks={drawn.marks}
            note={blocks + (promoted.length ? ", and the versions promoted" : "")}
          />
          <Chart
            title="Evidence against the bound"
            file={`${monitor.name}-evidence`}
            x={drawn.x}
            lines={drawn.evidence}
            xTitle={`${spec.block} (UTC)`}
            yTitle="e-value of the detector"
            time
            marks={drawn.marks}
          />
        </div>
      )}
      {alarms.length > 0 && <Alarms list={alarms} />}
    </>
  );
}

function Alarms({ list }: { list: Alarm[] }) {
  return (
    <Table
      caption="Alarms, newest first"
      file="alarms"
      rows={list}
      id={(one) => one.id}
      columns={[
        timeColumn("raised", "Raised (UTC)", (one: Alarm) => one.event_time),
        { key: "block", title: "Block", raw: (one) => one.block, cell: (one) => day(one.block) },
        {
          key: "mean_loss",
          title: "Mean loss since the restart",
          numeric: true,
          raw: (one) => one.mean_loss,
        },
        { key: "bound", title: "Bound", numeric: true, raw: (one) => one.bound_loss },
        {
          key: "detector",
          title: "Detector",
          numeric: true,
          raw: (one) => one.value,
          cell: (one) => number(one.value, 4),
        },
      ]}
    />
  );
}
