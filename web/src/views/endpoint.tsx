// SPDX-License-Identifier: Apache-2.0
import {
  type Endpoint,
  type Event,
  type ModelVersion,
  type Rollout,
  modelVersions,
  ours,
} from "../api";
import { difference, number, quoted, time } from "../format";
import { Actor, Facts, Hashes, Loaded, Name, State, Table, View, timeColumn } from "../parts";
import { useResource } from "../resource";
import { served } from "./endpoints";
import { Monitors } from "./monitor";
import { HoldBanner, RolloutShown, isOpen } from "./rollout";

export function EndpointView({ name }: { name: string }) {
  const endpoint = useResource(
    name,
    () => ours<Endpoint>(`endpoints/${encodeURIComponent(name)}`),
    true,
    () => true, // its watermark moves with every request
  );
  return (
    <View title="Endpoint" name={name} command={`slipway endpoint show ${quoted(name)}`}>
      <Loaded from={endpoint} what="the endpoint">
        {(value) => <Shown endpoint={value} />}
      </Loaded>
    </View>
  );
}

function Shown({ endpoint }: { endpoint: Endpoint }) {
  return (
    <>
      <HoldBanner endpoint={endpoint.name} hold={endpoint.hold} />
      {endpoint.problem && (
        <p
          class={endpoint.loading ? "quiet" : "problem"}
          role={endpoint.loading ? "status" : "alert"}
        >
          {endpoint.problem}
        </p>
      )}
      <Facts
        of={[
          ["Serves", endpoint.champion ? `version ${served(endpoint)}` : "nothing"],
          ["Model", <Name of={endpoint.model} />],
          ["Follows", endpoint.alias ? `@${endpoint.alias}` : "a pinned version"],
          ["Clock", endpoint.clock === "event" ? "event time" : "wall clock"],
          ["Newest event (UTC)", time(endpoint.watermark)],
        ]}
      />
      <Rollouts endpoint={endpoint.name} />
      <Monitors endpoint={endpoint.name} />
      <Versions model={endpoint.model} current={served(endpoint)} />
      <Moves model={endpoint.model} />
    </>
  );
}

const ROLLOUTS_MAX = 1_000; // that the server sends at once

function Rollouts({ endpoint }: { endpoint: string }) {
  const found = useResource(
    "rollouts " + endpoint,
    async () =>
      (await ours<{ rollouts: Rollout[] }>("rollouts", { endpoint, limit: ROLLOUTS_MAX })).rollouts,
    true,
    (list) => list.some(isOpen),
  );
  return (
    <section aria-labelledby="rollouts">
      <h2 id="rollouts">Rollouts</h2>
      <Loaded from={found} what="rollouts">
        {(list) => {
          const live = list.find(isOpen);
          return (
            <>
              {live && (
                <div class="live">
                  <h3>Under way</h3>
                  <RolloutShown rollout={live} />
                </div>
              )}
              <Table
                caption={
                  list.length < ROLLOUTS_MAX
                    ? "Rollouts, newest first"
                    : `The newest ${number(ROLLOUTS_MAX)} rollouts`
                }
                file="rollouts"
                rows={list}
                id={(one) => one.id}
                columns={[
                  {
                    key: "id",
                    title: "Rollout",
                    whole: true,
                    raw: (one) => one.id,
                    cell: (one) => (
                      <a href={`/rollouts/${one.id}`}>{`${one.champion} → ${one.challenger}`}</a>
                    ),
                  },
                  {
                    key: "state",
                    title: "State",
                    raw: (one) => one.state,
                    cell: (one) => <State of={one.state} />,
                  },
                  timeColumn("started", "Started (UTC)", (one: Rollout) => one.started_event_time),
                  timeColumn("ended", "Ended (UTC)", (one: Rollout) => one.finished_event_time),
                  { key: "reason", title: "Why", long: true, raw: (one) => one.reason ?? "" },
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

interface Verdict {
  version: ModelVersion;
  body: Record<string, unknown> | undefined; // of the newest comparison
  seq: number;
}
const amount = (value: unknown) => (typeof value === "number" ? value : null);

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
  const unseen = verdicts.size === 0; // no gate, or none tried yet
  const rows = (list: ModelVersion[]): Verdict[] =>
    [...list]
      .sort((a, b) => Number(b.version) - Number(a.version))
      .map((version) => {
        const event = verdicts.get(version.version);
        return { version, body: event?.body, seq: event?.seq ?? 0 };
      });
  const gain = (key: string, title: string) => ({
    unseen,
    key,
    title,
    numeric: true,
    raw: ({ body }: Verdict) => amount(body?.[key]),
    cell: ({ body }: Verdict) => (body?.[key] == null ? "" : difference(body[key])),
  });
  const count = (key: string, title: string) => ({
    unseen,
    key,
    title,
    numeric: true,
    raw: ({ body }: Verdict) => amount(body?.[key]),
    cell: ({ body }: Verdict) => (body?.[key] ? number(body[key]) : ""),
  });
  return (
    <section aria-labelledby="versions">
      <h2 id="versions">
        Versions of <Name of={model} />
      </h2>
      <Loaded from={found} what="versions">
        {(list) => (
          <Table
            caption={
              "Versions, newest first" +
              (unseen
                ? ""
                : "; gain: how much lower the loss is than the champion's of that time, both scored afresh on the same rows")
            }
            file="versions"
            rows={rows(list)}
            id={({ version }) => version.version}
            columns={[
              {
                key: "version",
                title: "Version",
                numeric: true,
                raw: ({ version }) => Number(version.version),
              },
              {
                key: "serves",
                title: "Serves",
                unseen: true,
                raw: ({ version }) => version.version === current,
              },
              {
                key: "aliases",
                title: "Now",
                whole: true,
                raw: ({ version }) => (version.aliases ?? []).join(" "),
                cell: ({ version }) => (
                  <>
                    {version.version === current && (
                      <span class="good">
                        <span aria-hidden="true">● </span>serves{" "}
                      </span>
                    )}
                    {(version.aliases ?? []).map((alias) => "@" + alias).join(" ")}
                  </>
                ),
              },
              {
                unseen,
                key: "verdict",
                title: "Gate",
                raw: ({ body }) => (body ? String(body.verdict) : ""),
                cell: ({ body, seq }) =>
                  body ? (
                    <a href={`/story?event=${seq}`}>
                      <State of={String(body.verdict)} />
                    </a>
                  ) : (
                    ""
                  ),
              },
              {
                unseen,
                key: "champion",
                title: "Against",
                numeric: true,
                raw: ({ body }) => amount(body?.champion),
                cell: ({ body }) =>
                  body ? (body.champion == null ? "none" : number(body.champion)) : "",
              },
              gain("estimate", "Gain"),
              gain("lo", "95 % from"),
              gain("hi", "to"),
              {
                unseen,
                key: "p",
                title: "p (one-sided)",
                numeric: true,
                raw: ({ body }) => amount(body?.p),
                cell: ({ body }) => (body?.p == null ? "" : number(body.p, 2)),
              },
              count("days", "Days"),
              count("rows", "Rows"),
              timeColumn(
                "registered_ms",
                "Registered (UTC)",
                ({ version }: { version: ModelVersion }) => version.creation_timestamp,
              ),
              {
                key: "run_id",
                title: "Run",
                raw: ({ version }) => version.run_id,
                cell: ({ version }) =>
                  version.run_id ? (
                    <a href={`/runs/${version.run_id}`}>{version.run_id.slice(0, 8)}</a>
                  ) : (
                    ""
                  ),
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
            file="alias-history"
            rows={[...list].reverse()}
            id={(event) => String(event.seq)}
            columns={[
              timeColumn("event_time", "Event time (UTC)", (event: Event) => event.event_time),
              {
                key: "alias",
                title: "Alias",
                raw: (event) => String(event.body.alias ?? ""),
                cell: (event) => "@" + String(event.body.alias ?? ""),
              },
              {
                key: "move",
                title: "Move",
                whole: true,
                raw: (event) =>
                  event.type === "alias.moved"
                    ? `${String(event.body.from ?? "none")} → ${String(event.body.to ?? "none")}`
                    : `refused: ${String(event.body.to ?? "")}`,
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
            empty={<p class="quiet">No alias has moved yet.</p>}
          />
        )}
      </Loaded>
    </section>
  );
}
