// SPDX-License-Identifier: Apache-2.0
import { useSignal } from "@preact/signals";

import { type Experiment, type LatestMetric, type Run, experiments, searchRuns } from "../api";
import { duration, elapsed, number, quoted, time } from "../format";
import { type Column, Command, Loaded, Name, State, Table, View } from "../parts";
import { useResource } from "../resource";
import { go, query, withSettings } from "../route";

const PAGE = 50;
const FILE_PAGE = 1_000; // runs of one question while a CSV file is made
const FILE_MAX = 20_000; // runs in one
const COLUMNS_SHOWN = 6; // metric columns until the reader chooses

const tag = (run: Run, key: string) => run.data.tags?.find((one) => one.key === key)?.value ?? "";
const metric = (run: Run, key: string): LatestMetric | undefined =>
  run.data.metrics?.find((one) => one.key === key);

// The server filters, sorts and pages; this view holds one page, and its address holds the
// question.
export function RunsView() {
  const settings = query.value;
  const experiment = settings.get("experiment") ?? "",
    filter = settings.get("filter") ?? "";
  const [by = "attributes.start_time", way = "DESC"] = (settings.get("order") ?? "")
    .split(/ (?=ASC$|DESC$)/)
    .filter(Boolean);
  const known = useResource("experiments", experiments, true, () => true);
  const command = `slipway run list${experiment ? ` --experiment ${quoted(experiment)}` : ""}${filter ? ` --filter ${quoted(filter)}` : ""} --order-by ${quoted(`${by} ${way}`)}`;
  return (
    <View title="Runs" command={command}>
      <Question experiments={known.value ?? []} experiment={experiment} filter={filter} />
      <Loaded from={known} what="experiments">
        {(list) => (
          <Found
            known={list}
            ids={experiment ? [experiment] : list.map((one) => one.experiment_id)}
            filter={filter}
            by={by}
            way={way}
            token={settings.get("token") ?? ""}
          />
        )}
      </Loaded>
    </View>
  );
}

interface Asked {
  known: Experiment[];
  ids: string[];
  filter: string;
  by: string;
  way: string;
  token: string;
}
function Found({ known, ids, filter, by, way, token }: Asked) {
  const search = (token: string, size: number) =>
    searchRuns({ experiments: ids, filter, order: `${by} ${way}`, token, size });
  const found = useResource(
    JSON.stringify([ids, filter, by, way, token]),
    async (): ReturnType<typeof searchRuns> => (ids.length ? search(token, PAGE) : {}),
    true,
    () => true, // logging a run makes no event
  );
  // Every run that passes the filter, in the order shown.
  const all = async () => {
    const runs: Run[] = [];
    let next = "";
    do {
      const page = await search(next, FILE_PAGE);
      runs.push(...(page.runs ?? []));
      next = page.next_page_token ?? "";
    } while (next && runs.length < FILE_MAX);
    if (next) throw new Error(`more than ${number(FILE_MAX)} runs: narrow the filter`);
    return runs;
  };
  return (
    <Loaded from={found} what="runs">
      {(page) => (
        <Page
          runs={page.runs ?? []}
          next={page.next_page_token ?? ""}
          known={known}
          by={by}
          way={way}
          first={!token}
          asked={!!filter}
          all={all}
        />
      )}
    </Loaded>
  );
}

function Question({
  experiments: known,
  experiment,
  filter,
}: {
  experiments: Experiment[];
  experiment: string;
  filter: string;
}) {
  const ask = (event: SubmitEvent) => {
    event.preventDefault();
    const text = new FormData(event.currentTarget as HTMLFormElement).get("filter");
    go(withSettings({ filter: String(text ?? "").trim(), token: "" }));
  };
  return (
    <form class="question" role="search" onSubmit={ask}>
      <label>
        Experiment{" "}
        <select
          value={experiment}
          onChange={(event) =>
            go(withSettings({ experiment: event.currentTarget.value, token: "" }))
          }
        >
          <option value="">all</option>
          {known.map((one) => (
            <option key={one.experiment_id} value={one.experiment_id}>
              {one.name}
            </option>
          ))}
        </select>
      </label>
      <label class="grow">
        Filter{" "}
        <input
          type="search"
          name="filter"
          key={filter}
          defaultValue={filter}
          spellcheck={false}
          placeholder="metrics.`holdout.log_loss` < 0.5 AND attributes.status = 'FINISHED'"
        />
      </label>
      <button>Filter</button>
    </form>
  );
}

interface PageProps {
  runs: Run[];
  next: string;
  known: Experiment[];
  by: string;
  way: string;
  first: boolean;
  asked: boolean;
  all: () => Promise<Run[]>;
}

function Page({ runs, next, known, by, way, first, asked, all: whole }: PageProps) {
  const all = [
    ...new Set(runs.flatMap((run) => (run.data.metrics ?? []).map((one) => one.key))),
  ].sort();
  const chosen = query.value.get("columns")?.split(",").filter(Boolean);
  const shown = chosen ?? all.slice(0, COLUMNS_SHOWN);
  const choosing = useSignal(false);
  const names = new Map(known.map((one) => [one.experiment_id, one.name]));
  const columns: Column<Run>[] = [
    {
      key: "run",
      title: "Run",
      sort: "attributes.run_name",
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
      sort: "attributes.status",
      raw: (run) => run.info.status,
      cell: (run) => <State of={run.info.status} />,
    },
    ...shown.map((name): Column<Run> => ({
      key: name,
      title: name,
      numeric: true,
      sort: `metrics.\`${name}\``,
      raw: (run) => {
        const found = metric(run, name);
        return found && (found.value ?? NaN);
      },
      cell: (run) => number(metric(run, name)?.value),
    })),
    {
      key: "stage",
      title: "Stage",
      sort: "tags.`slipway.stage`",
      raw: (run) => tag(run, "slipway.stage"),
      cell: (run) => <Name of={tag(run, "slipway.stage") || "–"} />,
    },
    {
      key: "started_ms",
      title: "Started (UTC)",
      sort: "attributes.start_time",
      whole: true,
      raw: (run) => run.info.start_time,
      cell: (run) => time(run.info.start_time),
    },
    {
      key: "took_ms",
      title: "Took",
      numeric: true,
      raw: (run) => elapsed(run.info.start_time, run.info.end_time),
      cell: (run) => duration(run.info.start_time, run.info.end_time),
    },
    {
      key: "experiment",
      title: "Experiment",
      unseen: !!query.value.get("experiment") || known.length < 2,
      raw: (run) => names.get(run.info.experiment_id) ?? run.info.experiment_id,
      cell: (run) => <Name of={names.get(run.info.experiment_id) ?? run.info.experiment_id} />,
    },
    { key: "run_id", title: "Run id", unseen: true, raw: (run) => run.info.run_id },
  ];
  const toggle = (name: string) => {
    const names = shown.includes(name) ? shown.filter((one) => one !== name) : [...shown, name];
    go(withSettings({ columns: names.join(",") || "," }), true);
  };
  return (
    <>
      {all.length > 0 && (
        <details
          open={choosing.value}
          onToggle={(event) => (choosing.value = event.currentTarget.open)}
        >
          <summary>
            Columns: {shown.length} of {all.length} metrics
          </summary>
          {choosing.value && (
            <fieldset class="columns">
              <legend class="unseen">Metrics to show</legend>
              {all.map((name) => (
                <label key={name}>
                  <input
                    type="checkbox"
                    checked={shown.includes(name)}
                    onChange={() => toggle(name)}
                  />{" "}
                  {name}
                </label>
              ))}
            </fieldset>
          )}
        </details>
      )}
      <Table
        caption={asked ? "Runs that pass the filter" : "Runs"}
        file="list"
        all={whole}
        columns={columns}
        rows={runs}
        id={(run) => run.info.run_id}
        sorted={{ by, descending: way === "DESC" }}
        onSort={(column, descending) =>
          go(withSettings({ order: `${column} ${descending ? "DESC" : "ASC"}`, token: "" }), true)
        }
        empty={
          asked ? (
            <p class="quiet">No run passes this filter.</p>
          ) : (
            <>
              <p>
                No runs yet. Any script that logs to MLflow makes some, once it knows this server:
              </p>
              <Command text={`export MLFLOW_TRACKING_URI=${location.origin}`} />
              <p>
                So does <code>slipway repro</code> in a repository with a dvc.yaml.
              </p>
            </>
          )
        }
      />
      <p class="pages">
        {!first && <a href={withSettings({ token: "" })}>First page</a>}{" "}
        {next && (
          <a rel="next" href={withSettings({ token: next })}>
            Next {PAGE}
          </a>
        )}
        <span class="quiet" role="status">
          {runs.length} {runs.length === 1 ? "run" : "runs"} here
          {next ? ", and more to come" : ""}
        </span>
      </p>
    </>
  );
}
