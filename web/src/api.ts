// SPDX-License-Identifier: Apache-2.0
// What the server says, and only reading: nothing on this page changes anything. Shapes are those
// of docs/formats; every field that
// an older server may lack is optional.

export interface KeyValue {
  key: string;
  value: string;
}
export interface LatestMetric {
  key: string;
  value: number;
  step?: number | string;
  timestamp?: number | string;
}
export interface Run {
  info: {
    run_id: string;
    run_name?: string;
    experiment_id: string;
    status: string;
    start_time?: number | string;
    end_time?: number | string;
    artifact_uri?: string;
  };
  data: { params?: KeyValue[]; metrics?: LatestMetric[]; tags?: KeyValue[] };
  outputs?: { model_outputs?: { model_id: string }[] };
}
export interface Experiment {
  experiment_id: string;
  name: string;
}
export interface FileInfo {
  path: string;
  is_dir: boolean;
  file_size?: number | string;
}
export interface LoggedModel {
  info: { model_id: string; name: string; artifact_uri?: string };
}
export interface ModelVersion {
  name: string;
  version: string;
  creation_timestamp?: number | string;
  run_id?: string;
  aliases?: string[];
  tags?: KeyValue[];
  source?: string;
}

export interface Event {
  seq: number;
  id: string;
  type: string;
  subject: string;
  actor: string;
  event_time: string;
  recorded_at: string;
  body: Record<string, unknown>;
  evidence: string[];
}
export interface Cell {
  bad: number;
  good: number;
}
export type Arms = Record<"champion" | "challenger", Cell>;
export interface RolloutStep {
  weight: number;
  c0?: Record<string, number> | number[];
  started_event_time?: string | null;
  counters?: Record<string, Arms>;
}
export interface Rollout {
  id: string;
  endpoint: string;
  model: string;
  alias?: string;
  champion: number;
  challenger: number;
  steps: RolloutStep[];
  step: number;
  state: string;
  delta: number;
  alpha_promote: number;
  alpha_rollback: number;
  started_event_time?: string | null;
  finished_event_time?: string | null;
  reason?: string;
  losses?: string[]; // that it is judged by
  judgement?: { reason?: string; numbers?: { losses?: Record<string, unknown> } }; // while open
  [more: string]: unknown;
}
export interface Endpoint {
  name: string;
  model: string;
  alias?: string;
  version?: number;
  clock: string;
  champion: { version: number; run_id: string } | null;
  challenger: { version: number; run_id: string } | null;
  problem?: string;
  rollout: Rollout | null;
  hold: { reason: string; actor: string; until: string | null; version?: number } | null;
  watermark: string | null;
}
export interface Block {
  start: string;
  labelled: number;
  mean: number | null; // of the losses, scaled to [0,1]
  judged: boolean;
  value: number; // the detector's, after it
}
export interface Alarm {
  id: string;
  block: string;
  event_time: string;
  value: number;
  threshold: number;
  bound: number; // scaled to [0,1]
  mean_loss: number; // in the loss's own unit
}
export interface Monitor {
  name: string;
  spec: { endpoint: string; loss: string; clip?: number; block: string };
  status: {
    state: string;
    reason: string;
    value: number;
    threshold: number;
    bound: number | null; // scaled
    rows_predicted: number;
    rows_labelled: number;
    independence: { objects: boolean; ratio: number | null };
  };
  blocks?: Block[]; // newest first
  alarms?: Alarm[];
}
export interface StoryLine {
  seq: number;
  event_time: string;
  type: string;
  word: string;
  sentence: string;
  command?: string;
  page?: string;
  evidence?: string[];
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly hint = "",
  ) {
    super(message);
  }
}

const OURS = "/api/slipway/v1/";
const MLFLOW = "/ajax-api/2.0/mlflow/";

async function answer<T>(response: Response): Promise<T> {
  const text = await response.text();
  if (response.ok) return parse(text) as T;
  let message = `${response.status} ${response.statusText}`,
    hint = "";
  try {
    const body = parse(text) as {
      error?: { message?: string; hint?: string };
      message?: string;
      error_code?: string;
    };
    message = body.error?.message ?? body.message ?? message;
    hint = body.error?.hint ?? "";
  } catch {
    /* not JSON: the status line says what there is to say */
  }
  throw new ApiError(response.status, message, hint);
}

// Numbers on our wire may be NaN or Infinity, which JSON.parse refuses; outside of strings they
// are read as null.
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse(
      text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (found) =>
        found.startsWith('"') ? found : "null",
      ),
    );
  }
}

export async function ours<T>(
  path: string,
  query: Record<string, string | number> = {},
): Promise<T> {
  const search = new URLSearchParams(
    Object.entries(query).map(([key, value]) => [key, String(value)]),
  ).toString();
  return answer<T>(
    await fetch(OURS + path + (search ? "?" + search : ""), {
      headers: { Accept: "application/json" },
    }),
  );
}

async function post<T>(path: string, body: unknown): Promise<T> {
  return answer<T>(
    await fetch(MLFLOW + path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    }),
  );
}

async function get<T>(path: string, query: Record<string, string>): Promise<T> {
  return answer<T>(await fetch(`${MLFLOW}${path}?${new URLSearchParams(query)}`));
}

export const experiments = async () =>
  (await post<{ experiments?: Experiment[] }>("experiments/search", { max_results: 1000 }))
    .experiments ?? [];

export interface RunSearch {
  experiments: string[];
  filter: string;
  order: string;
  token: string;
  size: number;
}
export const searchRuns = (search: RunSearch) =>
  post<{ runs?: Run[]; next_page_token?: string }>("runs/search", {
    experiment_ids: search.experiments,
    filter: search.filter,
    max_results: search.size,
    order_by: search.order ? [search.order] : [],
    ...(search.token ? { page_token: search.token } : {}),
  });
export const getRun = async (id: string) =>
  (await get<{ run: Run }>("runs/get", { run_id: id })).run;
export const listArtifacts = async (run: string, path: string) =>
  (await get<{ files?: FileInfo[] }>("artifacts/list", { run_id: run, ...(path ? { path } : {}) }))
    .files ?? [];
export const getLoggedModel = async (id: string) =>
  (await get<{ model: LoggedModel }>(`logged-models/${encodeURIComponent(id)}`, {})).model;
export const listModelFiles = async (id: string, path: string) =>
  (
    await get<{ files?: FileInfo[] }>(
      `logged-models/${encodeURIComponent(id)}/artifacts/directories`,
      path ? { artifact_directory_path: path } : {},
    )
  ).files ?? [];
export const versionsOfRun = async (run: string) =>
  (
    await get<{ model_versions?: ModelVersion[] }>("model-versions/search", {
      filter: `run_id='${run}'`,
    })
  ).model_versions ?? [];
export const modelVersions = async (model: string) =>
  (
    await get<{ model_versions?: ModelVersion[] }>("model-versions/search", {
      filter: `name='${model.replace(/'/g, "''")}'`,
      max_results: "200",
    })
  ).model_versions ?? [];

export interface Series {
  run: string;
  steps: Float64Array;
  values: Float64Array;
  raw: number;
}

// Little-endian columns (docs/formats/series.md): only what `pixels` columns can show, no spike
// lost.
export async function series(
  runs: string[],
  key: string,
  pixels: number,
  range?: [number, number],
): Promise<Series[]> {
  const query = new URLSearchParams({ runs: runs.join(","), key, px: String(pixels) });
  if (range) {
    query.set("x0", String(Math.floor(range[0])));
    query.set("x1", String(Math.ceil(range[1])));
  }
  const response = await fetch(`${OURS}series?${query}`);
  if (!response.ok) return answer<Series[]>(response);
  const bytes = await response.arrayBuffer();
  const head = new DataView(bytes).getUint32(0, true);
  const { series: list } = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, head))) as {
    series: { run: string; points: number; raw: number }[];
  };
  let at = 4 + head;
  return list.map(({ run, points, raw }) => {
    const steps = new Float64Array(bytes, at, points),
      values = new Float64Array(bytes, at + 8 * points, points);
    at += 16 * points;
    return { run, steps, values, raw };
  });
}
