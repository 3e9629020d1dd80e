// SPDX-License-Identifier: Apache-2.0
import { type Endpoint, ours } from "../api";
import { time } from "../format";
import { Loaded, State, Table, View } from "../parts";
import { useResource } from "../resource";

export const served = (endpoint: Endpoint) =>
  endpoint.champion ? String(endpoint.champion.version) : "–";

export function EndpointsView() {
  const found = useResource(
    "endpoints",
    async () => (await ours<{ endpoints: Endpoint[] }>("endpoints")).endpoints,
    true,
  );
  return (
    <View title="Endpoints" command="slipway endpoint list">
      <Loaded from={found} what="endpoints">
        {(list) => (
          <Table
            caption="Endpoints"
            rows={list}
            id={(one) => one.name}
            columns={[
              {
                key: "name",
                title: "Endpoint",
                cell: (one) => (
                  <a href={`/endpoints/${encodeURIComponent(one.name)}`}>{one.name}</a>
                ),
              },
              { key: "model", title: "Model", cell: (one) => one.model },
              {
                key: "follows",
                title: "Follows",
                cell: (one) => (one.alias ? `@${one.alias}` : "pinned"),
              },
              { key: "version", title: "Serves version", numeric: true, cell: served },
              {
                key: "rollout",
                title: "Rollout",
                cell: (one) =>
                  one.rollout ? <State of={one.rollout.state} /> : <span class="quiet">none</span>,
              },
              {
                key: "hold",
                title: "Hold",
                cell: (one) => (one.hold ? "held" : <span class="quiet">none</span>),
              },
              { key: "watermark", title: "Newest event (UTC)", cell: (one) => time(one.watermark) },
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
