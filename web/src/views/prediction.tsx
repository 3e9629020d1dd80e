// SPDX-License-Identifier: Apache-2.0
import { ours } from "../api";
import { Loaded, View } from "../parts";
import { useResource } from "../resource";
import { Tree } from "./tree";

// From one answer back to model, run, stages, data and commit: whatever the server knows, as a
// tree that reads top down.
export function PredictionView({ id }: { id: string }) {
  const path = id.split("/").map(encodeURIComponent).join("/");
  const found = useResource(id, () => ours<Record<string, unknown>>(`predictions/${path}`));
  return (
    <View title={`Prediction ${id}`} command={`slipway explain ${id}`}>
      <Loaded from={found} what="the prediction">
        {(value) => <Tree of={value} />}
      </Loaded>
    </View>
  );
}
