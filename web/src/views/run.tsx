// SPDX-License-Identifier: Apache-2.0
import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";

import {
  type FileInfo,
  type KeyValue,
  type Run,
  getRun,
  listArtifacts,
  searchRuns,
  series,
} from "../api";
import { Chart } from "../chart";
import { bytes, duration, number, time } from "../format";
import { Facts, Loaded, State, Table, View } from "../parts";
import { useResource } from "../resource";

const tagOf = (run: Run, key: string) => run.data.tags?.find((one) => one.key === key)?.value;

export function RunView({ id }: { id: string }) {
  const run = useResource(id, () => getRun(id), true);
  const title = run.value?.info.run_name || id;
  return (
    <View title={`Run ${title}`} command={`slipway run show ${id}`}>
      <Loaded from={run} what="the run">
        {(value) => <Shown run={value} />}
      </Loaded>
    </View>
  );
}

function Shown({ run }: { run: Run }) {
  const { info, data } = run;
  const parent = tagOf(run, "mlflow.parentRunId");
  const metrics = [...(data.metrics ?? [])].sort((a, b) => a.key.localeCompare(b.key));
  const curves = metrics.filter((one) => Number(one.step ?? 0) > 0);
  const tags = (data.tags ?? []).filter((one) => !one.key.startsWith("mlflow.log-model"));
  return (
    <>
      <Facts
        of={[
          ["State", <State of={info.status} />],
          ["Run", <code>{info.run_id}</code>],
          ["Stage", tagOf(run, "slipway.stage") ?? "–"],
          [
            "Commit",
            <code>
              {tagOf(run, "slipway.commit")?.slice(0, 12) ??
                tagOf(run, "mlflow.source.git.commit")?.slice(0, 12) ??
                "–"}
            </code>,
          ],
          ["Started (UTC)", time(info.start_time)],
          ["Took", duration(info.start_time, info.end_time)],
          ["Part of", parent ? <a href={`/runs/${parent}`}>{parent.slice(0, 8)}</a> : "–"],
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
      <section aria-labelledby="metrics">
        <h2 id="metrics">Metrics</h2>
        <Table
          caption="Last value of each metric"
          rows={metrics}
          id={(one) => one.key}
          columns={[
            { key: "key", title: "Metric", cell: (one) => one.key },
            { key: "value", title: "Value", numeric: true, cell: (one) => number(one.value, 7) },
            { key: "step", title: "Step", numeric: true, cell: (one) => number(one.step) },
          ]}
        />
      </section>
      <Pairs title="Parameters" of={data.params ?? []} />
      <Artifacts run={run} />
      <Children of={run} />
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
        rows={[...of].sort((a, b) => a.key.localeCompare(b.key))}
        id={(one) => one.key}
        columns={[
          { key: "key", title: "Name", cell: (one) => one.key },
          { key: "value", title: "Value", cell: (one) => <Value text={one.value} /> },
        ]}
      />
    </section>
  );
}

const LONG = 120;
function Value({ text }: { text: string }) {
  if (text.length <= LONG) return <code>{text}</code>;
  return (
    <details>
      <summary>
        <code>{text.slice(0, LONG)}…</code>
      </summary>
      <pre>{pretty(text)}</pre>
    </details>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // not JSON: shown as it is
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
        x={steps}
        lines={lines}
        xTitle="step"
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

function Artifacts({ run }: { run: Run }) {
  return (
    <section aria-labelledby="artifacts">
      <h2 id="artifacts">Artifacts</h2>
      <Folder run={run} path="" />
    </section>
  );
}

function Folder({ run, path }: { run: Run; path: string }) {
  const files = useResource(`${run.info.run_id} ${path}`, () =>
    listArtifacts(run.info.run_id, path),
  );
  return (
    <Loaded from={files} what="artifacts">
      {(list) =>
        list.length ? (
          <ul class="files">
            {list.map((file) => (
              <li key={file.path}>
                <File run={run} file={file} />
              </li>
            ))}
          </ul>
        ) : (
          <p class="quiet">None.</p>
        )
      }
    </Loaded>
  );
}

function File({ run, file }: { run: Run; file: FileInfo }) {
  const open = useSignal(false);
  const name = file.path.split("/").at(-1);
  if (file.is_dir) {
    return (
      <details onToggle={(event) => (open.value = event.currentTarget.open)}>
        <summary>{name}/</summary>
        {open.value && <Folder run={run} path={file.path} />}
      </details>
    );
  }
  const root = (run.info.artifact_uri ?? "").replace(/^mlflow-artifacts:\/*/, "");
  const address = `/api/2.0/mlflow-artifacts/artifacts/${[...root.split("/"), ...file.path.split("/")].map(encodeURIComponent).join("/")}`;
  return (
    <>
      <a href={address} download={name}>
        {name}
      </a>{" "}
      <span class="quiet">{bytes(file.file_size)}</span>
    </>
  );
}

function Children({ of }: { of: Run }) {
  const { run_id, experiment_id } = of.info;
  const found = useResource(
    "children " + run_id,
    async () =>
      (
        await searchRuns({
          experiments: [experiment_id],
          filter: `tags.\`mlflow.parentRunId\` = '${run_id}'`,
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
      <h2 id="children">Stages and runs below</h2>
      <Table
        caption="Runs that are part of this one"
        rows={found.value}
        id={(run) => run.info.run_id}
        columns={[
          {
            key: "name",
            title: "Run",
            cell: (run) => (
              <a href={`/runs/${run.info.run_id}`}>
                {run.info.run_name || run.info.run_id.slice(0, 8)}
              </a>
            ),
          },
          { key: "state", title: "Status", cell: (run) => <State of={run.info.status} /> },
          {
            key: "took",
            title: "Took",
            numeric: true,
            cell: (run) => duration(run.info.start_time, run.info.end_time),
          },
        ]}
      />
    </section>
  );
}
