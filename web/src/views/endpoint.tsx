// SPDX-License-Identifier: Apache-2.0
import { useMemo } from "preact/hooks";

import {
  type Endpoint,
  type Alarm,
  type Event,
  type ModelVersion,
  type Monitor,
  type Rollout,
  modelVersions,
  ours,
} from "../api";
import { Chart, type Line, type Mark } from "../chart";
import { day, difference, number, time } from "../format";
import { Actor, Facts, Hashes, Loaded, State, Table, View } from "../parts";
import { useResource } from "../resource";
import { served } from "./endpoints";
import { RolloutShown } from "./rollout";

export function EndpointView({ name }: { name: string }) {
  const endpoint = useResource(
    name,
    () => ours<Endpoint>(`endpoints/${encodeURIComponent(name)}`),
    true,
  );
  return (
    <View title={`Endpoint ${name}`} command={`slipway endpoint show ${name}`}>
      <Loaded from={endpoint} what="the endpoint">
        {(value) => <Shown endpoint={value} />}
      </Loaded>
    </View>
  );
}

function Shown({ endpoint }: { endpoint: Endpoint }) {
  const hold = endpoint.hold;
  return (
    <>
      <Facts
        of={[
          ["Model", endpoint.model],
          ["Follows", endpoint.alias ? `@${endpoint.alias}` : "a pinned version"],
          [
            "Serves",
            endpoint.champion ? `version ${served(endpoint)}` : `nothing: ${endpoint.problem}`,
          ],
          ["Clock", endpoint.clock === "event" ? "event time" : "wall clock"],
          ["Newest event (UTC)", time(endpoint.watermark)],
          [
            "Hold",
            hold ? `${hold.reason} (until ${hold.until ? time(hold.until) : "released"})` : "none",
          ],
        ]}
      />
      <Rollouts endpoint={endpoint.name} />
      <Monitors endpoint={endpoint.name} />
      <Versions model={endpoint.model} current={served(endpoint)} />
      <Moves model={endpoint.model} />
    </>
  );
}

const began = (one: Rollout) => time(one.started_event_time);
const ended = (one: Rollout) => time(one.finished_event_time);

function Rollouts({ endpoint }: { endpoint: string }) {
  const found = useResource(
    "rollouts " + endpoint,
    async () => (await ours<{ rollouts: Rollout[] }>("rollouts", { endpoint })).rollouts,
    true,
  );
  return (
    <section aria-labelledby="rollouts">
      <h2 id="rollouts">Rollouts</h2>
      <Loaded from={found} what="rollouts">
        {(list) => {
          const live = list.find((one) => one.state === "active" || one.state === "paused");
          return (
            <>
              {live && (
                <div class="live">
                  <h3>Under way</h3>
                  <RolloutShown rollout={live} />
                </div>
              )}
              <Table
                caption="Rollouts, newest first"
                rows={list}
                id={(one) => one.id}
                columns={[
                  {
                    key: "id",
                    title: "Rollout",
                    whole: true,
                    cell: (one) => (
                      <a href={`/rollouts/${one.id}`}>{`${one.champion} → ${one.challenger}`}</a>
                    ),
                  },
                  { key: "state", title: "State", cell: (one) => <State of={one.state} /> },
                  { key: "from", title: "Started (UTC)", whole: true, cell: began },
                  { key: "to", title: "Ended (UTC)", whole: true, cell: ended },
                  { key: "why", title: "Why", long: true, cell: (one) => one.reason ?? "" },
                ]}
                empty={<p class="quiet">None yet: a challenger that passes its gate starts one.</p>}
              />
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

const BLOCKS_SHOWN = 2_000;

function Monitors({ endpoint }: { endpoint: string }) {
  const found = useResource(
    "monitors " + endpoint,
    async () => {
      const { monitors } = await ours<{ monitors: Monitor[] }>("monitors");
      const here = monitors.filter((one) => one.spec.endpoint === endpoint);
      const [shown, { rollouts }] = await Promise.all([
        Promise.all(
          here.map((one) =>
            ours<Monitor>(`monitors/${encodeURIComponent(one.name)}`, { blocks: BLOCKS_SHOWN }),
          ),
        ),
        ours<{ rollouts: Rollout[] }>("rollouts", { endpoint }),
      ]);
      const promoted = rollouts.filter(
        (one) => one.state === "promoted" && one.finished_event_time,
      );
      return { list: shown, promoted };
    },
    true,
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

const seconds = (text: string) => Date.parse(text) / 1000;

// Losses and bound are shown in the loss's own unit: what the detector sees, times the clip.
function MonitorShown({ monitor, promoted }: { monitor: Monitor; promoted: Rollout[] }) {
  const { spec, status, alarms = [] } = monitor;
  const clip = spec.clip ?? 1;
  const bound = status.bound === null ? null : status.bound * clip;
  const newest = monitor.blocks?.[0];
  const key = [monitor.blocks?.length, newest?.start, newest?.labelled, alarms.length].join();
  const drawn = useMemo(() => {
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
        name: `mean loss of the ${spec.block}`,
        values: blocks.map((one) => (one.mean === null ? null : one.mean * clip)),
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
        text: String(one.challenger),
        plain: true,
      })),
      ...alarms.map((one) => ({ x: seconds(one.block), text: "alarm" })),
    ];
    return { x, losses, evidence, marks };
  }, [key, promoted.length]);
  const blocks = `${number(drawn.x.length)} blocks`;
  return (
    <>
      <Facts
        of={[
          ["Monitor", monitor.name],
          ["State", <State of={status.state} />],
          ...(status.reason ? [["Why", status.reason] as [string, string]] : []),
          ["Detector", `${number(status.value, 4)} (alarm at ${number(status.threshold)})`],
          ["Bound", bound === null ? "being estimated" : number(bound)],
          ["Promise", `at most one false alarm in ${number(status.threshold)} blocks, on average`],
          ["Labelled", `${number(status.rows_labelled)} of ${number(status.rows_predicted)}`],
          ...(status.independence.objects && spec.block === "none"
            ? [["Beware", "errors are clumped: name a block"] as [string, string]]
            : []),
        ]}
      />
      {drawn.x.length > 0 && (
        <div class="charts">
          <Chart
            title="Mean loss by block"
            x={drawn.x}
            lines={drawn.losses}
            xTitle={spec.block}
            time
            marks={drawn.marks}
            note={blocks + (promoted.length ? ", and the versions promoted" : "")}
          />
          <Chart
            title="Evidence against the bound"
            x={drawn.x}
            lines={drawn.evidence}
            xTitle={spec.block}
            time
            marks={drawn.marks}
          />
        </div>
      )}
      {alarms.length > 0 && <Alarms list={alarms} clip={clip} />}
    </>
  );
}

function Alarms({ list, clip }: { list: Alarm[]; clip: number }) {
  return (
    <Table
      caption="Alarms, newest first"
      rows={list}
      id={(one) => one.id}
      columns={[
        { key: "when", title: "Raised (UTC)", cell: (one) => time(one.event_time) },
        { key: "block", title: "Block", cell: (one) => day(one.block) },
        {
          key: "loss",
          title: "Mean loss since the restart",
          numeric: true,
          cell: (one) => number(one.mean_loss),
        },
        { key: "bound", title: "Bound", numeric: true, cell: (one) => number(one.bound * clip) },
        { key: "value", title: "Detector", numeric: true, cell: (one) => number(one.value, 4) },
      ]}
    />
  );
}

function Versions({ model, current }: { model: string; current: string }) {
  const found = useResource("versions " + model, () => modelVersions(model), true);
  const gates = useResource(
    "gates " + model,
    async () =>
      (
        await ours<{ events: Event[] }>("events", { type: "gate.evaluated", limit: 1000 })
      ).events.filter((event) => event.body.model === model),
    true,
  );
  const verdicts = new Map(
    (gates.value ?? []).map((event) => [String(event.body.challenger), event]),
  );
  const verdict = (version: ModelVersion) => verdicts.get(version.version);
  return (
    <section aria-labelledby="versions">
      <h2 id="versions">Versions of {model}</h2>
      <Loaded from={found} what="versions">
        {(list) => (
          <Table
            caption="Versions, newest first"
            rows={[...list].sort((a, b) => Number(b.version) - Number(a.version))}
            id={(one) => one.version}
            columns={[
              { key: "version", title: "Version", numeric: true, cell: (one) => one.version },
              {
                key: "serves",
                title: "Serves",
                cell: (one) => (one.version === current ? "yes" : ""),
              },
              {
                key: "aliases",
                title: "Aliases",
                cell: (one) => (one.aliases ?? []).map((alias) => "@" + alias).join(" "),
              },
              {
                key: "verdict",
                title: "Gate",
                cell: (one) => {
                  const event = verdict(one);
                  return event ? <State of={String(event.body.verdict)} /> : "";
                },
              },
              {
                key: "gain",
                title: "Gain (95 % interval)",
                numeric: true,
                cell: (one) => {
                  const body = verdict(one)?.body;
                  return body && body.estimate != null
                    ? difference(body.estimate) +
                        (body.lo == null
                          ? ""
                          : ` (${difference(body.lo)} … ${difference(body.hi)})`)
                    : "";
                },
              },
              {
                key: "p",
                title: "p (one-sided)",
                numeric: true,
                cell: (one) => {
                  const body = verdict(one)?.body;
                  return body && body.p != null ? number(body.p, 2) : "";
                },
              },
              {
                key: "made",
                title: "Registered (UTC)",
                cell: (one) => time(one.creation_timestamp),
              },
              {
                key: "run",
                title: "Run",
                cell: (one) =>
                  one.run_id ? <a href={`/runs/${one.run_id}`}>{one.run_id.slice(0, 8)}</a> : "",
              },
            ]}
            empty={<p class="quiet">No version is registered yet.</p>}
          />
        )}
      </Loaded>
    </section>
  );
}

function Moves({ model }: { model: string }) {
  const found = useResource(
    "moves " + model,
    async () =>
      (
        await ours<{ events: Event[] }>("events", {
          type: "alias.",
          subject: `model:${model}`,
          limit: 1000,
        })
      ).events,
    true,
  );
  return (
    <section aria-labelledby="moves">
      <h2 id="moves">Alias history</h2>
      <Loaded from={found} what="moves">
        {(list) => (
          <Table
            caption="Every move and refusal, newest first"
            rows={[...list].reverse()}
            id={(event) => String(event.seq)}
            columns={[
              {
                key: "when",
                title: "Event time (UTC)",
                whole: true,
                cell: (event) => time(event.event_time),
              },
              {
                key: "alias",
                title: "Alias",
                cell: (event) => "@" + String(event.body.alias ?? ""),
              },
              {
                key: "what",
                title: "Move",
                whole: true,
                cell: (event) =>
                  event.type === "alias.moved"
                    ? `${String(event.body.from ?? "none")} → ${String(event.body.to ?? "none")}`
                    : `refused: ${String(event.body.to ?? "")}`,
              },
              { key: "who", title: "Who", cell: (event) => <Actor of={event.actor} /> },
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
        )}
      </Loaded>
    </section>
  );
}
