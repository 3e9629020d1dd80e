-- Labels: append-only. A correction is a new row; the newest row of a prediction counts. prediction_time and position are those of the
-- prediction that was found in the log when the label came (orphans have none).
CREATE TABLE label (
  seq INTEGER PRIMARY KEY,
  endpoint TEXT NOT NULL,
  prediction_id TEXT NOT NULL,
  value TEXT NOT NULL,
  event_time BIGINT NOT NULL,
  source TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  orphan INTEGER NOT NULL,
  prediction_time BIGINT NOT NULL DEFAULT 0,
  position BIGINT NOT NULL DEFAULT 0,
  UNIQUE (prediction_id, value, source)
);
CREATE INDEX label_by_endpoint ON label (endpoint, seq);
CREATE INDEX label_by_prediction ON label (prediction_id, seq);
CREATE INDEX label_by_time ON label (endpoint, prediction_time);

CREATE TABLE monitor (
  key INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  spec TEXT NOT NULL
);

-- What the follower of a monitor knows; written together with its cursors (table log_cursor: "monitor:KEY/…").
CREATE TABLE monitor_state (
  monitor BIGINT PRIMARY KEY,
  detector BLOB NOT NULL,
  bound DOUBLE PRECISION,
  sighted INTEGER NOT NULL DEFAULT 0,
  reason TEXT NOT NULL,
  seen_through BIGINT NOT NULL DEFAULT 0,
  pending TEXT NOT NULL DEFAULT '[]',
  watermark BIGINT NOT NULL DEFAULT 0,
  not_before BIGINT NOT NULL DEFAULT 0,
  restarted_at BIGINT NOT NULL DEFAULT 0,
  restart_cause TEXT NOT NULL DEFAULT 'start',
  closed_through BIGINT NOT NULL DEFAULT 0,
  judged_through BIGINT NOT NULL DEFAULT 0,
  blocks_closed BIGINT NOT NULL DEFAULT 0,
  blocks_judged BIGINT NOT NULL DEFAULT 0,
  blocks_since_restart BIGINT NOT NULL DEFAULT 0,
  rows_predicted BIGINT NOT NULL DEFAULT 0,
  rows_labelled BIGINT NOT NULL DEFAULT 0,
  late_rows BIGINT NOT NULL DEFAULT 0,
  alarms BIGINT NOT NULL DEFAULT 0
);

-- Stretches of event time. With `block: none` every labelled row is one, and `ordinal` (position and row) tells them apart.
CREATE TABLE monitor_block (
  monitor BIGINT NOT NULL,
  start_at BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  end_at BIGINT NOT NULL,
  first_position BIGINT NOT NULL,
  predictions BIGINT NOT NULL DEFAULT 0,
  labelled BIGINT NOT NULL DEFAULT 0,
  loss_sum DOUBLE PRECISION NOT NULL DEFAULT 0,
  loss_sum_squares DOUBLE PRECISION NOT NULL DEFAULT 0,
  unusable BIGINT NOT NULL DEFAULT 0,
  late_rows BIGINT NOT NULL DEFAULT 0,
  closed INTEGER NOT NULL DEFAULT 0,
  judged INTEGER NOT NULL DEFAULT 0,
  skipped TEXT NOT NULL DEFAULT '',
  value DOUBLE PRECISION NOT NULL DEFAULT 0,
  PRIMARY KEY (monitor, start_at, ordinal)
);
CREATE INDEX monitor_block_open ON monitor_block (monitor, closed, end_at, start_at, ordinal);

-- Sums by UTC day, whatever the block: for the check against independence.
CREATE TABLE monitor_day (
  monitor BIGINT NOT NULL,
  day BIGINT NOT NULL,
  labelled BIGINT NOT NULL DEFAULT 0,
  loss_sum DOUBLE PRECISION NOT NULL DEFAULT 0,
  loss_sum_squares DOUBLE PRECISION NOT NULL DEFAULT 0,
  PRIMARY KEY (monitor, day)
);

CREATE TABLE alarm (
  id TEXT PRIMARY KEY,
  ordinal BIGINT NOT NULL,
  monitor TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  block_start BIGINT NOT NULL,
  event_time BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  value DOUBLE PRECISION NOT NULL,
  threshold DOUBLE PRECISION NOT NULL,
  bound DOUBLE PRECISION NOT NULL,
  mean_loss DOUBLE PRECISION NOT NULL,
  block_mean_loss DOUBLE PRECISION NOT NULL,
  blocks BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  evidence TEXT NOT NULL
);
CREATE INDEX alarm_by_monitor ON alarm (monitor, ordinal);

CREATE TABLE webhook (
  name TEXT PRIMARY KEY,
  url TEXT NOT NULL
);

CREATE TABLE delivery (
  seq INTEGER PRIMARY KEY,
  webhook TEXT NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  next_attempt_at BIGINT NOT NULL,
  last_error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX delivery_waiting ON delivery (state, next_attempt_at, seq);
CREATE INDEX delivery_by_webhook ON delivery (webhook, seq);
