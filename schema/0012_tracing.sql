-- Traces, their spans and assessments. docs/formats/mlflow.md says what the wire makes of them. Times whose names end in _ms and _ns are as
-- clients gave them. Session, name, tokens and costs are metadata and a tag on the wire, and columns here because searches and sums read them.

CREATE TABLE trace (
  id INTEGER PRIMARY KEY,
  trace_id TEXT NOT NULL UNIQUE,
  experiment BIGINT NOT NULL,
  request_time_ms BIGINT NOT NULL,
  duration_ms BIGINT,
  state TEXT NOT NULL,
  name TEXT,
  session TEXT,
  client_request_id TEXT,
  request_preview TEXT,
  response_preview TEXT,
  input_tokens BIGINT,
  output_tokens BIGINT,
  total_tokens BIGINT,
  cache_read_input_tokens BIGINT,
  cache_creation_input_tokens BIGINT,
  cache_creation_input_tokens_above_1hr BIGINT,
  input_cost DOUBLE PRECISION,
  output_cost DOUBLE PRECISION,
  total_cost DOUBLE PRECISION
);
-- The order in which traces are listed unless told otherwise.
CREATE INDEX trace_by_time ON trace (experiment, request_time_ms DESC, trace_id);
CREATE INDEX trace_by_session ON trace (experiment, session) WHERE session IS NOT NULL;

CREATE TABLE trace_tag (
  trace BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (trace, key)
);
CREATE INDEX trace_tag_by_value ON trace_tag (key, substr(value, 1, 64), trace);

CREATE TABLE trace_metadata (
  trace BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (trace, key)
);
CREATE INDEX trace_metadata_by_value ON trace_metadata (key, substr(value, 1, 64), trace);

-- A link may be made before its trace arrives, so it names the trace by its id on the wire. Kinds: 1 run, 2 prompt version ("name/7").
CREATE TABLE trace_link (
  trace_id TEXT NOT NULL,
  kind INTEGER NOT NULL,
  target TEXT NOT NULL,
  PRIMARY KEY (trace_id, kind, target)
);
CREATE INDEX trace_link_by_target ON trace_link (kind, target, trace_id);

-- `content` is the span as JSON, one line, as it is given out; the other columns are what searches and sums read of it.
CREATE TABLE span (
  trace BIGINT NOT NULL,
  span_id TEXT NOT NULL,
  parent_id TEXT,
  name TEXT NOT NULL,
  type TEXT,
  status TEXT NOT NULL,
  start_ns BIGINT NOT NULL,
  end_ns BIGINT,
  usage TEXT,
  model TEXT,
  provider TEXT,
  input_cost DOUBLE PRECISION,
  output_cost DOUBLE PRECISION,
  total_cost DOUBLE PRECISION,
  content TEXT NOT NULL,
  PRIMARY KEY (trace, span_id)
);
CREATE INDEX span_by_name ON span (name, trace);

-- Kinds are words: feedback, expectation, issue. `value` is JSON; `number` what sums take it for (yes and true are 1), `numeric` whether it
-- was a number. `metadata` is a JSON object.
CREATE TABLE assessment (
  id INTEGER PRIMARY KEY,
  assessment_id TEXT NOT NULL UNIQUE,
  trace BIGINT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  error TEXT,
  number DOUBLE PRECISION,
  numeric INTEGER NOT NULL,
  source_type TEXT NOT NULL,
  source_id TEXT,
  run_id TEXT,
  span_id TEXT,
  rationale TEXT,
  overrides TEXT,
  valid INTEGER NOT NULL,
  metadata TEXT,
  created_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL
);
CREATE INDEX assessment_by_trace ON assessment (trace, created_at_ms);
CREATE INDEX assessment_by_name ON assessment (kind, name, trace);
