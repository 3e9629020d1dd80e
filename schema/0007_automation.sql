-- Desired state: what files in git declared and who declared it.
-- The row is both the inventory (which file owns what) and the last applied state; there is no state file.
CREATE TABLE object (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  spec TEXT NOT NULL,
  protect INTEGER NOT NULL,
  repo TEXT NOT NULL,
  path TEXT NOT NULL,
  folder TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  spec_hash TEXT NOT NULL,
  resource_version BIGINT NOT NULL,
  applied_at BIGINT NOT NULL,
  applied_by TEXT NOT NULL,
  PRIMARY KEY (kind, name)
);

-- Who this store is: a plan made against one store is not applied to another.
CREATE TABLE store_identity (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  id TEXT NOT NULL
);

-- What a trigger remembers. Times are the endpoint's event time.
CREATE TABLE trigger_state (
  name TEXT PRIMARY KEY,
  anchor BIGINT,
  periods BIGINT NOT NULL,
  last_started BIGINT,
  failures INTEGER NOT NULL,
  paused INTEGER NOT NULL,
  paused_reason TEXT NOT NULL
);

-- One reason to act, once: (trigger, dedup_key) is unique. state: queued, running, done, skipped.
CREATE TABLE firing (
  id TEXT PRIMARY KEY,
  trigger_name TEXT NOT NULL,
  dedup_key TEXT NOT NULL,
  reason TEXT NOT NULL,
  alarm TEXT NOT NULL,
  state TEXT NOT NULL,
  event_time BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  alias_move BIGINT NOT NULL,
  UNIQUE (trigger_name, dedup_key)
);
CREATE INDEX firing_by_state ON firing (state, id);

-- One execution of a pipeline by a trigger. state: preparing, running, trained, done, failed.
CREATE TABLE retraining (
  id TEXT PRIMARY KEY,
  firing_id TEXT NOT NULL,
  trigger_name TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  gate TEXT NOT NULL,
  state TEXT NOT NULL,
  outcome TEXT NOT NULL,
  reason TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  watermark BIGINT NOT NULL,
  dataset_hash TEXT NOT NULL,
  dataset_rows BIGINT NOT NULL,
  folder TEXT NOT NULL,
  log TEXT NOT NULL,
  after_seq BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  finished_at BIGINT,
  exit_code INTEGER,
  version BIGINT,
  run_id TEXT NOT NULL,
  evidence TEXT NOT NULL,
  rollout TEXT NOT NULL,
  event_id TEXT NOT NULL
);
CREATE INDEX retraining_by_state ON retraining (state, id);
CREATE INDEX retraining_by_trigger ON retraining (trigger_name, id);
