-- Experiments, runs, what they logged, logged models, and the index of artifacts. docs/formats/mlflow.md says what the wire makes of it.
-- Times whose names end in _ms are MLflow's milliseconds, kept exactly as clients gave them; all other times are microseconds.
-- `deleted` marks rows that MLflow calls "deleted": they can be read and restored.

CREATE TABLE experiment (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  artifact_location TEXT NOT NULL,
  deleted INTEGER NOT NULL DEFAULT 0,
  created_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL
);
-- MLflow's clients take experiment "0" for granted. Its times are those of the first start: set by the server, 0 until then.
INSERT INTO experiment (id, name, artifact_location, created_at_ms, updated_at_ms)
VALUES (0, 'Default', 'mlflow-artifacts:/0', 0, 0);

CREATE TABLE experiment_tag (
  experiment BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (experiment, key)
) WITHOUT ROWID;

-- `id` is the internal key that everything below refers to; `uuid` is the id on the wire.
CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  experiment BIGINT NOT NULL,
  name TEXT NOT NULL,
  user_id TEXT NOT NULL,
  status INTEGER NOT NULL,
  start_time_ms BIGINT NOT NULL,
  end_time_ms BIGINT,
  artifact_uri TEXT NOT NULL,
  deleted INTEGER NOT NULL DEFAULT 0,
  deleted_at_ms BIGINT
);
-- The order in which runs are listed unless told otherwise.
CREATE INDEX run_by_start ON run (experiment, deleted, start_time_ms DESC, uuid);

CREATE TABLE param (
  run BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, key)
) WITHOUT ROWID;

CREATE TABLE tag (
  run BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, key)
) WITHOUT ROWID;
-- Children of a run are found by their tag.
CREATE INDEX tag_parent ON tag (value, run) WHERE key = 'mlflow.parentRunId';

-- Metrics (docs/formats/metric-chunk.md). A series is all points of one key in one run. New points are rows of the tail; when a
-- tail is full it is sealed into one chunk. sealed_time_max_ms lets a newer point skip the search for a duplicate among chunks.
CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  run BIGINT NOT NULL,
  key TEXT NOT NULL,
  tail_points BIGINT NOT NULL DEFAULT 0,
  sealed_points BIGINT NOT NULL DEFAULT 0,
  sealed_time_max_ms BIGINT,
  UNIQUE (run, key)
);
CREATE TABLE chunk (
  series BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  points BIGINT NOT NULL,
  time_min_ms BIGINT NOT NULL,
  time_max_ms BIGINT NOT NULL,
  step_min BIGINT NOT NULL,
  step_max BIGINT NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (series, ordinal)
);
-- NaN is value 0 with nan 1, as SQL has no NaN to compare with.
CREATE TABLE tail (
  series BIGINT NOT NULL,
  time_ms BIGINT NOT NULL,
  step BIGINT NOT NULL,
  value DOUBLE PRECISION NOT NULL,
  nan INTEGER NOT NULL,
  PRIMARY KEY (series, time_ms, step, value, nan)
) WITHOUT ROWID;

-- The newest point of each series: the greatest (step, time, value). Search reads this table alone.
CREATE TABLE latest (
  run BIGINT NOT NULL,
  key TEXT NOT NULL,
  experiment BIGINT NOT NULL,
  value DOUBLE PRECISION NOT NULL,
  nan INTEGER NOT NULL,
  step BIGINT NOT NULL,
  time_ms BIGINT NOT NULL,
  PRIMARY KEY (run, key)
) WITHOUT ROWID;
CREATE INDEX latest_by_value ON latest (experiment, key, nan, value, run);

CREATE TABLE dataset (
  id INTEGER PRIMARY KEY,
  experiment BIGINT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  source_type TEXT NOT NULL,
  source TEXT NOT NULL,
  schema_json TEXT NOT NULL,
  profile_json TEXT NOT NULL,
  UNIQUE (experiment, name, digest)
);
CREATE TABLE dataset_input (
  id INTEGER PRIMARY KEY,
  run BIGINT NOT NULL,
  dataset BIGINT NOT NULL,
  UNIQUE (run, dataset)
);
CREATE INDEX dataset_input_by_dataset ON dataset_input (dataset, run);
CREATE TABLE dataset_input_tag (
  input BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (input, key)
) WITHOUT ROWID;

CREATE TABLE logged_model (
  id INTEGER PRIMARY KEY,
  model_id TEXT NOT NULL UNIQUE,
  experiment BIGINT NOT NULL,
  name TEXT NOT NULL,
  artifact_uri TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL,
  status INTEGER NOT NULL,
  model_type TEXT NOT NULL,
  source_run_id TEXT NOT NULL,
  status_message TEXT NOT NULL,
  deleted INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX logged_model_by_time ON logged_model (experiment, deleted, created_at_ms DESC, model_id);
CREATE INDEX logged_model_by_run ON logged_model (source_run_id, name);
CREATE TABLE logged_model_param (
  model BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model, key)
) WITHOUT ROWID;
CREATE TABLE logged_model_tag (
  model BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model, key)
) WITHOUT ROWID;
CREATE TABLE logged_model_metric (
  model BIGINT NOT NULL,
  key TEXT NOT NULL,
  time_ms BIGINT NOT NULL,
  step BIGINT NOT NULL,
  run_id TEXT NOT NULL,
  value DOUBLE PRECISION NOT NULL,
  nan INTEGER NOT NULL,
  dataset_name TEXT NOT NULL,
  dataset_digest TEXT NOT NULL,
  PRIMARY KEY (model, key, time_ms, step, run_id, dataset_name, dataset_digest)
) WITHOUT ROWID;

-- Models that a run took in (output 0) or made (output 1).
CREATE TABLE run_model (
  run BIGINT NOT NULL,
  output INTEGER NOT NULL,
  model_id TEXT NOT NULL,
  step BIGINT NOT NULL,
  PRIMARY KEY (run, output, model_id, step)
) WITHOUT ROWID;

-- What was received under each path of the artifact store, for verification and provenance.
CREATE TABLE artifact (
  path TEXT PRIMARY KEY,
  size_bytes BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  stored_at BIGINT NOT NULL
) WITHOUT ROWID;

-- Tokens of pipeline stages: the run whose children their holders create. Only the SHA-256 of a token is here.
CREATE TABLE stage_token (
  token_sha256 TEXT PRIMARY KEY,
  run BIGINT NOT NULL,
  minted_at BIGINT NOT NULL,
  revoked_at BIGINT
);
CREATE INDEX stage_token_by_run ON stage_token (run);
