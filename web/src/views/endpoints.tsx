// SPDX-License-Identifier: Apache-2.0
import { type Endpoint, ours } from "../api";

import { Loaded, Name, State, Table, View, timeColumn } from "../parts";
import { useResource } from "../resource";

export const served = (endpoint: Endpoint) =>
  endpoint.champion ? String(endpoint.champion.version) : "–";

export function EndpointsView() {
  const found = useResource(
    "endpoints",
    async () => (await ours<{ endpoints: Endpoint[] }>("endpoints")).endpoints,
    true,
    (list) => list.length > 0, // watermarks move without events
  );
  return (
    <View title="Endpoints" command="slipway endpoint list">
      <Loaded from={found} what="endpoints">
        {(list) => (
          <Table
            caption="What answers, and what is being tried"
            file="list"
            rows={list}
            id={(one) => one.name}
            columns={[
              {
                key: "endpoint",
                title: "Endpoint",
                raw: (one) => one.name,
                cell: (one) => (
                  <a href={`/endpoints/${encodeURIComponent(one.name)}`}>
                    <Name of={one.name} />
                  </a>
                ),
              },
              {
                key: "model",
                title: "Model",
                raw: (one) => one.model,
                cell: (one) => <Name of={one.model} />,
              },
              {
                key: "follows",
                title: "Follows",
                raw: (one) => one.alias, // empty: a pinned version
                cell: (one) => (one.alias ? `@${one.alias}` : "pinned"),
              },
              {
                key: "version",
                title: "Serves version",
                numeric: true,
                raw: (one) => one.champion?.version,
                cell: served,
              },
              {
                key: "rollout",
                title: "Rollout",
                raw: (one) => one.rollout?.state,
                cell: (one) =>
                  one.rollout ? <State of={one.rollout.state} /> : <span class="quiet">none</span>,
              },
              {
                key: "hold",
                title: "Hold",
                raw: (one) => one.hold?.reason,
                cell: (one) =>
                  one.hold ? <span class="warn">‖ held</span> : <span class="quiet">none</span>,
              },
              timeColumn("watermark", "Newest event (UTC)", (one: Endpoint) => one.watermark),
            ]}
            empty={
              <p>
                No endpoints yet: one stands in a <code>slipway.yaml</code>, and{" "}
                <code>slipway apply</code> makes it.
              </p>
            }
          />
        )}
      </Loaded>
    </View>
  );
}
