-- Registered models, their versions, aliases with history and rules. A deleted model keeps its row without a name, so that keys, version
-- rows and the history of its aliases are never mistaken for those of a later model of the same name.
CREATE TABLE registered_model (
  key INTEGER PRIMARY KEY,
  name TEXT UNIQUE,
  deleted_name TEXT NOT NULL DEFAULT '',
  description TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE registered_model_tag (
  model BIGINT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model, name)
);
CREATE INDEX registered_model_tag_by_name ON registered_model_tag (name, model);

CREATE TABLE model_version (
  key INTEGER PRIMARY KEY,
  model BIGINT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  user_id TEXT NOT NULL,
  stage TEXT NOT NULL,
  description TEXT NOT NULL,
  source TEXT NOT NULL,
  location TEXT NOT NULL,
  run_id TEXT NOT NULL,
  run_link TEXT NOT NULL,
  model_id TEXT NOT NULL,
  condition TEXT NOT NULL DEFAULT 'unchecked',
  condition_reason TEXT NOT NULL DEFAULT '',
  deleted INTEGER NOT NULL DEFAULT 0,
  UNIQUE (model, version)
);
CREATE INDEX model_version_by_update ON model_version (deleted, updated_at, key);
CREATE INDEX model_version_by_run ON model_version (run_id);

CREATE TABLE model_version_tag (
  version BIGINT NOT NULL,  -- model_version.key
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (version, name)
);
CREATE INDEX model_version_tag_by_name ON model_version_tag (name, version);

CREATE TABLE model_alias (
  model BIGINT NOT NULL,
  alias TEXT NOT NULL,
  version BIGINT NOT NULL,
  move BIGINT NOT NULL,
  PRIMARY KEY (model, alias)
);

-- Append-only. `move` counts 1, 2, 3 … for each model and alias.
CREATE TABLE alias_move (
  model BIGINT NOT NULL,
  alias TEXT NOT NULL,
  move BIGINT NOT NULL,
  from_version BIGINT,
  to_version BIGINT,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  evidence TEXT NOT NULL,
  event_time BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  direct INTEGER NOT NULL,
  is_rollback INTEGER NOT NULL,
  rollout TEXT NOT NULL,
  PRIMARY KEY (model, alias, move)
);

-- By name, since a file may declare the rule before the first version is registered. `since`: the newest event when the rule, or what its
-- gate asks, last changed; evaluations up to it answer another question.
CREATE TABLE alias_rule (
  model TEXT NOT NULL,
  alias TEXT NOT NULL,
  gate TEXT NOT NULL,
  since BIGINT NOT NULL,
  PRIMARY KEY (model, alias)
);
