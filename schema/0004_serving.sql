-- Who answers under which name.
CREATE TABLE endpoint (
  name TEXT PRIMARY KEY,
  model TEXT NOT NULL,
  alias TEXT NOT NULL,               -- '' when pinned
  version BIGINT NOT NULL,           -- 0 when it follows an alias
  clock TEXT NOT NULL,               -- wall, event
  latency_limit_us BIGINT NOT NULL,
  canary TEXT NOT NULL,
  previous_version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- Break-glass: keeps automation off an endpoint.
CREATE TABLE endpoint_hold (
  endpoint TEXT PRIMARY KEY,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  set_at BIGINT NOT NULL,
  until BIGINT NOT NULL,             -- 0 = until released
  version BIGINT NOT NULL            -- served instead of a pinned one; else 0
);

-- A challenger's way to 100 %. Rows are never deleted.
CREATE TABLE rollout (
  id TEXT PRIMARY KEY,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  alias TEXT NOT NULL,
  champion BIGINT NOT NULL,
  challenger BIGINT NOT NULL,
  started_move BIGINT NOT NULL,
  seed TEXT NOT NULL,                -- 64 bits unsigned, decimal
  step INTEGER NOT NULL,
  state TEXT NOT NULL,
  delta DOUBLE PRECISION NOT NULL,
  alpha_promote DOUBLE PRECISION NOT NULL,
  alpha_rollback DOUBLE PRECISION NOT NULL,
  policy TEXT NOT NULL,
  started_event_time BIGINT NOT NULL,
  finished_event_time BIGINT NOT NULL,
  log_position BIGINT NOT NULL,
  cause TEXT NOT NULL,
  reason TEXT NOT NULL
);
CREATE INDEX rollout_by_endpoint ON rollout (endpoint, id);
-- At most one is under way at an endpoint.
CREATE UNIQUE INDEX rollout_open ON rollout (endpoint) WHERE state IN ('active', 'paused');

CREATE TABLE rollout_step (
  rollout TEXT NOT NULL,
  step INTEGER NOT NULL,
  weight DOUBLE PRECISION NOT NULL,
  started_event_time BIGINT NOT NULL,
  c0 TEXT NOT NULL,                  -- JSON list by loss: error, slow, nan
  counters TEXT NOT NULL,            -- JSON list of bad and good, by loss and arm
  PRIMARY KEY (rollout, step)
);
