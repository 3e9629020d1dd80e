// SPDX-License-Identifier: Apache-2.0
import { type Event, ours } from "../api";
import { days, time } from "../format";
import { Actor, Facts, Hashes, Loaded, View } from "../parts";
import { useResource } from "../resource";
import { withSettings } from "../route";
import { Tree } from "./tree";

interface Evidence {
  hash: string;
  kind: string;
  subject: string;
  recorded_at?: string;
  body: Record<string, unknown>;
}

// One event with the documents that it rests on.
export function EventView({ seq }: { seq: number }) {
  const found = useResource(`event ${seq}`, async () => {
    const { events } = await ours<{ events: Event[] }>("events", { after: seq - 1, limit: 1 });
    const event = events[0];
    if (event?.seq !== seq) throw new Error(`there is no event ${seq}`);
    const evidence = await Promise.all(
      event.evidence.map((hash) => ours<Evidence>(`evidence/${hash}`)),
    );
    return { event, evidence };
  });
  return (
    <View
      title={`Event ${seq}`}
      command={found.value ? `slipway event show ${found.value.event.id}` : "slipway story"}
    >
      <p>
        <a href={withSettings({ event: "" })}>← The whole story</a>
      </p>
      <Loaded from={found} what="the event">
        {({ event, evidence }) => {
          const { reason, ...rest } = event.body;
          return (
            <>
              <Facts
                of={[
                  ["What", event.type],
                  ["Of", <Subject of={event.subject} />],
                  ["Who", <Actor of={event.actor} />],
                  ["Event time (UTC)", time(event.event_time)],
                  ["Recorded (UTC)", time(event.recorded_at)],
                ]}
              />
              {typeof reason === "string" && reason && <p class="why">{days(reason)}</p>}
              {Object.keys(rest).length > 0 && <Tree of={rest} />}
              {evidence.map((one) => (
                <section key={one.hash} aria-label={`Evidence ${one.hash.slice(0, 10)}`}>
                  <h2>
                    Evidence: {one.kind} <Hashes of={[one.hash]} />
                  </h2>
                  <Tree of={one.body} />
                </section>
              ))}
            </>
          );
        }}
      </Loaded>
    </View>
  );
}

// What an event is of, as a link where it has a view.
function Subject({ of }: { of: string }) {
  const [kind, ...rest] = of.split(":");
  const name = rest.join(":");
  const view = { endpoint: "endpoints", rollout: "rollouts" }[kind ?? ""];
  return view ? <a href={`/${view}/${encodeURIComponent(name)}`}>{of}</a> : <bdi>{of}</bdi>;
}

// A document that a decision rests on, found by its hash.
export function EvidenceView({ hash }: { hash: string }) {
  const found = useResource(hash, () => ours<Evidence>(`evidence/${encodeURIComponent(hash)}`));
  return (
    <View title={`Evidence ${hash.slice(0, 10)}`} command={`slipway evidence show ${hash}`}>
      <Loaded from={found} what="the document">
        {(one) => (
          <>
            <Facts
              of={[
                ["Kind", one.kind],
                ["Of", <bdi>{one.subject}</bdi>],
                ["Kept (UTC)", time(one.recorded_at)],
                ["SHA-256", <code>{one.hash}</code>],
              ]}
            />
            <Tree of={one.body} />
          </>
        )}
      </Loaded>
    </View>
  );
}
