// SPDX-License-Identifier: Apache-2.0
// What the server says, and only reading: nothing on this page changes anything. Shapes are those
// of docs/formats; every field that
// an older server may lack is optional.
import { signal } from "@preact/signals";

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
  event_time: string | null; // null: of no endpoint, or from before its first request
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
  losses?: string[] | null; // that it is judged by
  latency_limit_ms?: number | null; // above it a request is slow
  judgement?: { reason?: string; numbers?: { losses?: Record<string, unknown> } }; // while open
  [more: string]: unknown;
}
export interface Hold {
  reason: string;
  actor: string;
  set_at?: string;
  until: string | null;
  version?: number;
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
  loading?: boolean; // why there is a `problem`: a version is being loaded and probed
  rollout: Rollout | null;
  hold: Hold | null;
  watermark: string | null;
}
export interface Block {
  start: string;
  labelled: number;
  mean_loss: number | null; // in the loss's own unit
  judged: boolean;
  value: number; // the detector's, after it
}
export interface Alarm {
  id: string;
  block: string;
  event_time: string;
  value: number;
  threshold: number;
  bound_loss: number | null; // in the loss's own unit; null where an old alarm does not know it
  mean_loss: number; // likewise
}
export interface Monitor {
  name: string;
  spec: { endpoint: string; loss: string; block: string };
  status: {
    state: string;
    reason: string;
    value: number;
    threshold: number;
    bound_loss: number | null; // in the loss's own unit; null while it is being estimated
    blocks_closed?: number;
    rows_predicted: number;
    rows_labelled: number;
    independence: { objects: boolean; ratio: number | null };
  };
  blocks?: Block[]; // newest first
  alarms?: Alarm[];
}
export interface StoryLine {
  seq: number;
  event_time: string | null; // null: before the first request
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

// Since when the server has not answered; undefined while it does.
export const away = signal<number | undefined>(undefined);
// What the server has against this machine, as against any but its own: no token, or the wrong one.
export const locked = signal<"" | "no token" | "wrong token">("");

// Kept for this tab alone, and forgotten with it.
const TOKEN = "slipway-token";
export const token = () => sessionStorage.getItem(TOKEN) ?? "";
export const keepToken = (text: string) => sessionStorage.setItem(TOKEN, text);

const ANSWER_MS = 20_000; // a server that takes longer to answer is away

// One question to the server. No answer at all is an ApiError of status 0, and `away` says since
// when.
export async function ask(address: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (token()) headers.set("Authorization", `Bearer ${token()}`);
  let response: Response;
  try {
    response = await fetch(address, {
      signal: AbortSignal.timeout(ANSWER_MS),
      ...init,
      headers,
    });
  } catch {
    away.value ??= Date.now();
    throw new ApiError(0, "the server does not answer");
  }
  away.value = undefined;
  return response;
}

async function answer<T>(response: Response): Promise<T> {
  const text = await response.text();
  if (response.ok) {
    locked.value = "";
    return parse(text) as T;
  }
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
  if (response.status === 401) locked.value = token() ? "wrong token" : "no token";
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
    await ask(OURS + path + (search ? "?" + search : ""), {
      headers: { Accept: "application/json" },
    }),
  );
}

// A file, for as long as it takes. A link could not carry the token, so the browser keeps the whole
// of it until it is saved.
export async function file(address: string): Promise<Blob> {
  const response = await ask(address, { signal: null });
  if (!response.ok) return answer<Blob>(response);
  try {
    return await response.blob();
  } catch {
    throw new ApiError(0, "the file broke off");
  }
}

async function post<T>(path: string, body: unknown): Promise<T> {
  return answer<T>(
    await ask(MLFLOW + path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    }),
  );
}

async function get<T>(path: string, query: Record<string, string>): Promise<T> {
  return answer<T>(await ask(`${MLFLOW}${path}?${new URLSearchParams(query)}`));
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
// MLflow's filters cannot write a name with both kinds of quotes: such a one is asked for by a
// pattern that may let others through.
const named = (model: string) =>
  !model.includes("'")
    ? `name='${model}'`
    : !model.includes('"')
      ? `name="${model}"`
      : `name LIKE '${model.replace(/'/g, "_")}'`;
export const modelVersions = async (model: string) =>
  (
    (
      await get<{ model_versions?: ModelVersion[] }>("model-versions/search", {
        filter: named(model),
        max_results: "200",
      })
    ).model_versions ?? []
  ).filter((version) => version.name === model);

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
  const response = await ask(`${OURS}series?${query}`);
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
