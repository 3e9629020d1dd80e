-- What a gate asks for. What it found is evidence (kind "gate") and events.
CREATE TABLE gate (
  name TEXT PRIMARY KEY,
  spec TEXT NOT NULL
);
