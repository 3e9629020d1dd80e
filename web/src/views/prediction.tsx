// SPDX-License-Identifier: Apache-2.0
import { ours } from "../api";
import { bytes, digits, milliseconds, quoted, time } from "../format";
import { Facts, Loaded, Name, State, Table, View } from "../parts";
import { useResource } from "../resource";
import { Children } from "./run";
import { Tree } from "./tree";

interface Tensor {
  name: string;
  datatype: string;
  shape: number[];
  data: unknown[];
}
interface Source {
  path: string;
  hash: string;
  size?: number;
}
interface Ancestor {
  run_id: string;
  experiment_id: string;
  name?: string;
  params?: Record<string, unknown>;
}
interface Stage {
  run_id: string;
  stage: string;
  commit?: string;
  dirty?: string;
  deps?: Source[] | null;
  outs?: Source[] | null;
  environment?: Record<string, unknown> | null;
}
interface Explained extends Record<string, unknown> {
  prediction: {
    endpoint: string;
    model: string;
    version: number;
    run_id?: string;
    arm: string;
    rollout?: string;
    event_time: string;
    recorded_at: string;
    status: number;
    latency_us: number;
    slow: boolean;
    nan: boolean;
    inputs?: Tensor[];
    outputs?: Tensor[];
  };
  version?: { condition?: string; created_at?: string; source?: string } | null;
  provenance?: { hash?: string; run?: Ancestor | null; parents?: Ancestor[] } | null;
  commit?: string;
  stages?: Stage[];
  data?: Source[];
  replay?: { done: boolean; equal?: boolean; engine?: string; reason?: string } | null;
}

// From one answer back to model, run, stages, data and commit, one step after the other; then all
// that the server knows about it.
export function PredictionView({ id }: { id: string }) {
  const path = id.split("/").map(encodeURIComponent).join("/");
  const found = useResource(id, () => ours<Explained>(`predictions/${path}`));
  return (
    <View title="Prediction" name={id} command={`slipway explain ${quoted(id)}`}>
      <Loaded from={found} what="the prediction">
        {(value) => <Shown of={value} />}
      </Loaded>
    </View>
  );
}

function Shown({ of }: { of: Explained }) {
  const { prediction, version, provenance, replay } = of;
  const run = provenance?.run;
  const whole = provenance?.parents?.at(-1);
  return (
    <>
      <Facts
        of={[
          [
            "Endpoint",
            <a href={`/endpoints/${encodeURIComponent(prediction.endpoint)}`}>
              <Name of={prediction.endpoint} />
            </a>,
          ],
          ["Answered by", `${prediction.model} version ${prediction.version}`],
          [
            "Arm",
            prediction.rollout ? (
              <a href={`/rollouts/${prediction.rollout}`}>{prediction.arm} of a rollout</a>
            ) : (
              prediction.arm
            ),
          ],
          ["Event time (UTC)", time(prediction.event_time)],
          ["Answered (UTC)", time(prediction.recorded_at)],
          ["Took", milliseconds(prediction.latency_us)],
          ["Status", String(prediction.status)],
          ...(replay ? [["Computed again", again(replay)] as [string, string]] : []),
        ]}
      />
      <section aria-labelledby="answer">
        <h2 id="answer">Question and answer</h2>
        <Table
          caption="Tensors"
          file="tensors"
          rows={[
            ...(prediction.inputs ?? []).map((one) => ({ ...one, way: "input" })),
            ...(prediction.outputs ?? []).map((one) => ({ ...one, way: "output" })),
          ]}
          id={(one) => one.way + one.name}
          columns={[
            { key: "part", title: "Part", raw: (one) => one.way },
            {
              key: "name",
              title: "Name",
              raw: (one) => one.name,
              cell: (one) => <Name of={one.name} />,
            },
            {
              key: "type",
              title: "Type",
              whole: true,
              raw: (one) => `${one.datatype} [${one.shape.join(", ")}]`,
            },
            {
              key: "values",
              title: "Values",
              long: true,
              raw: (one) => one.data.map((value) => value ?? NaN).join(" "),
              cell: (one) => <code>{one.data.map(digits).join("  ")}</code>,
            },
          ]}
        />
      </section>
      <section aria-labelledby="path">
        <h2 id="path">Where it comes from</h2>
        <ol class="path">
          <li>
            <h3>
              Version {prediction.version} of {prediction.model}
            </h3>
            {version ? (
              <Facts
                of={[
                  ["Registered (UTC)", time(version.created_at)],
                  ["State", <State of={version.condition ?? "–"} />],
                  ["Source", <code>{version.source ?? "–"}</code>],
                ]}
              />
            ) : (
              <p class="quiet">This version is no longer registered.</p>
            )}
          </li>
          {run && (
            <li>
              <h3>
                Run{" "}
                <a href={`/runs/${run.run_id}`}>
                  <Name of={run.name || run.run_id} />
                </a>
              </h3>
              <Facts
                of={Object.entries(run.params ?? {}).map(([name, value]) => [
                  name,
                  <code>{String(value)}</code>,
                ])}
              />
            </li>
          )}
          {(of.stages ?? []).map((stage) => (
            <li key={stage.run_id}>
              <h3>
                Stage <a href={`/runs/${stage.run_id}`}>{stage.stage}</a>
              </h3>
              <Facts
                of={[
                  ["Files", stage.dirty === "true" ? "changed since the commit" : "as committed"],
                  ...Object.entries(stage.environment ?? {}).map(
                    ([name, value]) =>
                      [name.replace(/_/g, " "), shorter(String(value))] as [string, string],
                  ),
                ]}
              />
            </li>
          ))}
          {!!of.data?.length && (
            <li>
              <h3>Data and code</h3>
              <Files list={of.data} />
            </li>
          )}
          {of.commit && (
            <li>
              <h3>Commit</h3>
              <code>{of.commit}</code>
            </li>
          )}
        </ol>
        {!run && <p class="quiet">This version was registered without a run.</p>}
      </section>
      {whole && (
        <Children
          runId={whole.run_id}
          experimentId={whole.experiment_id}
          title="The pipeline's run"
        />
      )}
      <details class="all">
        <summary>All that is recorded</summary>
        <Tree of={of} />
      </details>
    </>
  );
}

const again = (replay: NonNullable<Explained["replay"]>) =>
  !replay.done
    ? `no: ${replay.reason || "not possible"}`
    : replay.equal
      ? `the same answer (${replay.engine})`
      : `a different answer (${replay.engine})`;

const shorter = (text: string) => text.replace(/^(sha256:[0-9a-f]{12})[0-9a-f]+$/, "$1…");

function Files({ list }: { list: Source[] }) {
  return (
    <Table
      caption="What it was made from"
      file="files"
      rows={list}
      id={(one) => one.path + one.hash}
      columns={[
        {
          key: "file",
          title: "File",
          raw: (one) => one.path,
          cell: (one) => <code>{one.path}</code>,
        },
        {
          key: "hash",
          title: "Hash",
          raw: (one) => one.hash,
          cell: (one) => <code>{one.hash}</code>,
        },
        {
          key: "bytes",
          title: "Size",
          numeric: true,
          raw: (one) => one.size,
          cell: (one) => bytes(one.size),
        },
      ]}
    />
  );
}
