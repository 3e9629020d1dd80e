// SPDX-License-Identifier: Apache-2.0
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";

import {
  type FileInfo,
  type KeyValue,
  type Run,
  file,
  getLoggedModel,
  getRun,
  listArtifacts,
  listModelFiles,
  searchRuns,
  series,
  token,
  versionsOfRun,
} from "../api";
import { Chart } from "../chart";
import { save } from "../csv";
import { bytes, duration, elapsed, number, quoted, time } from "../format";
import { Facts, Loaded, Name, State, Table, View } from "../parts";
import { useResource } from "../resource";
import { Tree } from "./tree";

const tagOf = (run: Run, key: string) => run.data.tags?.find((one) => one.key === key)?.value;

type Fact = [string, ComponentChildren];

export function RunView({ id }: { id: string }) {
  const run = useResource(
    id,
    () => getRun(id),
    true,
    ({ info }) => info.status === "RUNNING",
  );
  return (
    <View
      title="Run"
      name={run.value?.info.run_name || id}
      command={`slipway run show ${quoted(id)}`}
    >
      <Loaded from={run} what="the run">
        {(value) => <Shown run={value} />}
      </Loaded>
    </View>
  );
}

function Shown({ run }: { run: Run }) {
  const { info, data } = run;
  const parent = tagOf(run, "mlflow.parentRunId");
  const stage = tagOf(run, "slipway.stage");
  const commit = tagOf(run, "slipway.commit") ?? tagOf(run, "mlflow.source.git.commit");
  const params = data.params ?? [];
  const metrics = [...(data.metrics ?? [])].sort((a, b) => a.key.localeCompare(b.key));
  const curves = metrics.filter((one) => Number(one.step ?? 0) > 0);
  const versions = useResource("versions of " + info.run_id, () => versionsOfRun(info.run_id));
  const tags = (data.tags ?? []).filter((one) => !one.key.startsWith("mlflow.log-model"));
  return (
    <>
      <Facts
        of={[
          ["State", <State of={info.status} />],
          ["Run", <code>{info.run_id}</code>],
          ...(stage ? ([["Stage", <Name of={stage} />]] as Fact[]) : []),
          ...(commit ? ([["Commit", <code>{commit.slice(0, 12)}</code>]] as Fact[]) : []),
          ["Started (UTC)", time(info.start_time)],
          ["Took", duration(info.start_time, info.end_time)],
          ...(parent
            ? ([["Part of", <a href={`/runs/${parent}`}>{parent.slice(0, 8)}</a>]] as Fact[])
            : []),
          ...(versions.value?.length
            ? [
                [
                  "Registered as",
                  versions.value.map((one) => `${one.name} version ${one.version}`).join(", "),
                ] as [string, string],
              ]
            : []),
        ]}
      />
      {curves.length > 0 && (
        <section aria-labelledby="curves">
          <h2 id="curves">Curves</h2>
          <div class="charts">
            {curves.map((one) => (
              <Curve key={one.key} run={info.run_id} name={one.key} end={Number(one.step)} />
            ))}
          </div>
        </section>
      )}
      <Children runId={info.run_id} experimentId={info.experiment_id} />
      <div class="pair">
        {metrics.length > 0 && (
          <section aria-labelledby="metrics">
            <h2 id="metrics">Metrics</h2>
            <Table
              caption="Last value of each metric"
              file="metrics"
              rows={metrics}
              id={(one) => one.key}
              columns={[
                {
                  key: "metric",
                  title: "Metric",
                  raw: (one) => one.key,
                  cell: (one) => <Name of={one.key} />,
                },
                {
                  key: "value",
                  title: "Value",
                  numeric: true,
                  raw: (one) => one.value ?? NaN,
                  cell: (one) => number(one.value ?? NaN, 7),
                },
                { key: "step", title: "Step", numeric: true, raw: (one) => one.step },
              ]}
            />
          </section>
        )}
        {params.length > 0 && <Pairs title="Parameters" of={params} />}
      </div>
      {metrics.length + params.length === 0 && (
        <p class="quiet">It logged no metrics and no parameters.</p>
      )}
      <Artifacts run={run} />
      <Pairs title="Tags" of={tags} />
    </>
  );
}

function Pairs({ title, of }: { title: string; of: KeyValue[] }) {
  const id = title.toLowerCase();
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <Table
        caption={`${title} of the run`}
        file={id}
        rows={[...of].sort((a, b) => a.key.localeCompare(b.key))}
        id={(one) => one.key}
        columns={[
          {
            key: "name",
            title: "Name",
            raw: (one) => one.key,
            cell: (one) => <Name of={one.key} />,
          },
          {
            key: "value",
            title: "Value",
            raw: (one) => one.value,
            cell: (one) => <Value text={one.value} />,
          },
        ]}
      />
    </section>
  );
}

const LONG = 120;
function Value({ text }: { text: string }) {
  const inside = /^[[{]/.test(text) ? parsed(text) : undefined;
  if (inside !== undefined) {
    const list = Array.isArray(inside);
    const keys = Object.keys(inside);
    if (!keys.length) return <span class="quiet">none</span>;
    return (
      <details>
        <summary>{list ? `${keys.length} items` : keys.join(", ")}</summary>
        <Tree of={list ? { items: inside } : inside} />
      </details>
    );
  }
  if (text.length <= LONG) return <code dir="auto">{text}</code>;
  return (
    <details>
      <summary>
        <code>{text.slice(0, LONG)}…</code>
      </summary>
      <pre>{text}</pre>
    </details>
  );
}

// The members of a JSON text, as the pipeline's tags are; undefined for any other text.
function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

// A chart asks for its points when it comes into view, and again for the range that one zooms into.
function Curve({ run, name, end }: { run: string; name: string; end: number }) {
  const place = useRef<HTMLDivElement>(null);
  const seen = useSignal(false),
    range = useSignal<[number, number] | undefined>(undefined);
  useEffect(() => {
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) seen.value = true;
      },
      { rootMargin: "200px" },
    );
    if (place.current) observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={place} class="curve">
      {seen.value && (
        <CurveShown
          run={run}
          name={name}
          end={end}
          range={range.value}
          zoom={(to) => (range.value = to)}
        />
      )}
    </div>
  );
}

interface CurveProps {
  run: string;
  name: string;
  end: number;
  range: [number, number] | undefined;
  zoom: (range: [number, number] | undefined) => void;
}
function CurveShown({ run, name, end, range, zoom }: CurveProps) {
  const points = useResource(`${run} ${name} ${end} ${range}`, () =>
    series([run], name, 700, range),
  );
  return (
    <Loaded from={points} what={name}>
      {([first]) =>
        first && first.steps.length ? (
          <CurveDrawn
            name={name}
            steps={first.steps}
            values={first.values}
            raw={first.raw}
            zoomed={!!range}
            zoom={zoom}
          />
        ) : (
          <p class="quiet">{name}: no points</p>
        )
      }
    </Loaded>
  );
}

interface DrawnProps {
  name: string;
  steps: Float64Array;
  values: Float64Array;
  raw: number;
  zoomed: boolean;
  zoom: CurveProps["zoom"];
}
function CurveDrawn({ name, steps, values, raw, zoomed, zoom }: DrawnProps) {
  const lines = useMemo(() => [{ name, values }], [values]);
  return (
    <>
      <Chart
        title={name}
        file={name}
        x={steps}
        lines={lines}
        xTitle="step"
        yTitle={name.length > 32 ? name.slice(0, 31) + "…" : name}
        onZoom={zoom}
        note={
          raw > steps.length
            ? `${number(steps.length)} of ${number(raw)} points: none that would show is left out`
            : undefined
        }
      />
      {zoomed && (
        <button type="button" onClick={() => zoom(undefined)}>
          Whole range
        </button>
      )}
    </>
  );
}

// Files of the run itself, then those of the models that it logged: the client keeps these apart.
function Artifacts({ run }: { run: Run }) {
  const { run_id, artifact_uri = "" } = run.info;
  const models = run.outputs?.model_outputs ?? [];
  return (
    <section aria-labelledby="artifacts">
      <h2 id="artifacts">Artifacts</h2>
      {models.map((one) => (
        <LoggedModel key={one.model_id} id={one.model_id} />
      ))}
      <Folder
        root={artifact_uri}
        list={(path) => listArtifacts(run_id, path)}
        path=""
        empty={models.length ? "" : "None."}
      />
    </section>
  );
}

function LoggedModel({ id }: { id: string }) {
  const model = useResource(id, () => getLoggedModel(id));
  return (
    <Loaded from={model} what="the model">
      {({ info }) => (
        <>
          <h3>
            Model {info.name} <code>{id}</code>
          </h3>
          <Folder
            root={info.artifact_uri ?? ""}
            list={(path) => listModelFiles(id, path)}
            path=""
            empty="No files."
          />
        </>
      )}
    </Loaded>
  );
}

interface FolderProps {
  root: string; // mlflow-artifacts:/…, above all paths
  list: (path: string) => Promise<FileInfo[]>;
  path: string;
  empty: string;
}
function Folder({ root, list, path, empty }: FolderProps) {
  const files = useResource(`${root} ${path}`, () => list(path));
  return (
    <Loaded from={files} what="artifacts">
      {(found) =>
        found.length ? (
          <ul class="files">
            {found.map((file) => (
              <li key={file.path}>
                <File root={root} list={list} of={file} />
              </li>
            ))}
          </ul>
        ) : (
          <p class="quiet">{empty}</p>
        )
      }
    </Loaded>
  );
}

function File({ root, list, of }: Pick<FolderProps, "root" | "list"> & { of: FileInfo }) {
  const open = useSignal(false);
  const state = useSignal("");
  const name = of.path.split("/").at(-1);
  if (of.is_dir) {
    return (
      <details onToggle={(event) => (open.value = event.currentTarget.open)}>
        <summary>{name}/</summary>
        {open.value && <Folder root={root} list={list} path={of.path} empty="Empty." />}
      </details>
    );
  }
  const folder = root.replace(/^mlflow-artifacts:\/*/, "");
  const path = `${folder}/${of.path}`.split("/").map(encodeURIComponent).join("/");
  const address = `/api/2.0/mlflow-artifacts/artifacts/${path}`;
  // A link carries no token: with one, the page fetches the file itself.
  const fetched = async (event: MouseEvent) => {
    if (!token()) return;
    event.preventDefault();
    state.value = "asking …";
    try {
      save(name ?? "artifact", await file(address));
      state.value = "";
    } catch (error) {
      state.value = (error as Error).message;
    }
  };
  return (
    <>
      <a href={address} download={name} onClick={fetched}>
        {name}
      </a>{" "}
      <span class="quiet">{bytes(of.file_size)}</span> <span role="status">{state.value}</span>
    </>
  );
}

export function Children({
  runId,
  experimentId,
  title = "Stages and runs below",
}: {
  runId: string;
  experimentId: string;
  title?: string;
}) {
  const found = useResource(
    "children " + runId,
    async () =>
      (
        await searchRuns({
          experiments: [experimentId],
          filter: `tags.\`mlflow.parentRunId\` = '${runId}'`,
          order: "attributes.start_time ASC",
          token: "",
          size: 100,
        })
      ).runs ?? [],
    true,
  );
  if (!found.value?.length) return null;
  return (
    <section aria-labelledby="children">
      <h2 id="children">{title}</h2>
      <Table
        caption="Its parts, in order"
        file="parts"
        rows={found.value}
        id={(run) => run.info.run_id}
        columns={[
          {
            key: "run",
            title: "Run",
            raw: (run) => run.info.run_name || run.info.run_id,
            cell: (run) => (
              <a href={`/runs/${run.info.run_id}`}>
                <Name of={run.info.run_name || run.info.run_id.slice(0, 8)} />
              </a>
            ),
          },
          {
            key: "status",
            title: "Status",
            raw: (run) => run.info.status,
            cell: (run) => <State of={run.info.status} />,
          },
          {
            key: "took_ms",
            title: "Took",
            numeric: true,
            raw: (run) => elapsed(run.info.start_time, run.info.end_time),
            cell: (run) => duration(run.info.start_time, run.info.end_time),
          },
        ]}
      />
    </section>
  );
}
