-- What happened and on what grounds. Append-only: no code updates or deletes these rows.
CREATE TABLE event (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  subject TEXT NOT NULL,
  actor TEXT NOT NULL,
  cause TEXT NOT NULL,
  event_time BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  body TEXT NOT NULL,
  evidence TEXT NOT NULL
);
CREATE INDEX event_by_subject ON event (subject, seq);
CREATE INDEX event_by_type ON event (type, seq);

CREATE TABLE evidence (
  hash TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  ordinal INTEGER NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX evidence_by_subject ON evidence (kind, subject, ordinal);

CREATE TABLE log_cursor (
  name TEXT PRIMARY KEY,
  position BIGINT NOT NULL
);
