-- Schema 10 as PostgreSQL has it: the same tables and indexes, and triggers that see all rows of a statement at once.
CREATE TABLE param_by_value (
  experiment BIGINT NOT NULL,
  key TEXT NOT NULL,
  head TEXT NOT NULL,
  start_time_ms BIGINT NOT NULL,
  run BIGINT NOT NULL,
  PRIMARY KEY (experiment, key, head, start_time_ms, run)
);
CREATE FUNCTION param_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO param_by_value (experiment, key, head, start_time_ms, run)
  SELECT r.experiment, a.key, substr(a.value, 1, 64), r.start_time_ms, a.run FROM added a JOIN run r ON r.id = a.run;
  RETURN NULL;
END $$;
CREATE FUNCTION param_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM param_by_value v USING removed o JOIN run r ON r.id = o.run
  WHERE v.experiment = r.experiment AND v.key = o.key AND v.head = substr(o.value, 1, 64)
    AND v.start_time_ms = r.start_time_ms AND v.run = o.run;
  RETURN NULL;
END $$;
CREATE FUNCTION param_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE param_by_value v SET head = substr(a.value, 1, 64)
  FROM removed o JOIN added a ON a.run = o.run AND a.key = o.key JOIN run r ON r.id = o.run
  WHERE v.experiment = r.experiment AND v.key = o.key AND v.head = substr(o.value, 1, 64)
    AND v.start_time_ms = r.start_time_ms AND v.run = o.run AND v.head <> substr(a.value, 1, 64);
  RETURN NULL;
END $$;
CREATE TRIGGER param_added AFTER INSERT ON param REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION param_added();
CREATE TRIGGER param_changed AFTER UPDATE ON param REFERENCING OLD TABLE AS removed NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION param_changed();
CREATE TRIGGER param_removed AFTER DELETE ON param REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION param_removed();

CREATE TABLE tag_by_value (
  experiment BIGINT NOT NULL,
  key TEXT NOT NULL,
  head TEXT NOT NULL,
  start_time_ms BIGINT NOT NULL,
  run BIGINT NOT NULL,
  PRIMARY KEY (experiment, key, head, start_time_ms, run)
);
CREATE FUNCTION tag_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tag_by_value (experiment, key, head, start_time_ms, run)
  SELECT r.experiment, a.key, substr(a.value, 1, 64), r.start_time_ms, a.run FROM added a JOIN run r ON r.id = a.run;
  RETURN NULL;
END $$;
CREATE FUNCTION tag_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM tag_by_value v USING removed o JOIN run r ON r.id = o.run
  WHERE v.experiment = r.experiment AND v.key = o.key AND v.head = substr(o.value, 1, 64)
    AND v.start_time_ms = r.start_time_ms AND v.run = o.run;
  RETURN NULL;
END $$;
CREATE FUNCTION tag_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE tag_by_value v SET head = substr(a.value, 1, 64)
  FROM removed o JOIN added a ON a.run = o.run AND a.key = o.key JOIN run r ON r.id = o.run
  WHERE v.experiment = r.experiment AND v.key = o.key AND v.head = substr(o.value, 1, 64)
    AND v.start_time_ms = r.start_time_ms AND v.run = o.run AND v.head <> substr(a.value, 1, 64);
  RETURN NULL;
END $$;
CREATE TRIGGER tag_added AFTER INSERT ON tag REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION tag_added();
CREATE TRIGGER tag_changed AFTER UPDATE ON tag REFERENCING OLD TABLE AS removed NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION tag_changed();
CREATE TRIGGER tag_removed AFTER DELETE ON tag REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION tag_removed();

-- An entry of PostgreSQL's indexes has room for some 2,700 bytes, and the value of a tag may have more.
DROP INDEX tag_parent;
CREATE INDEX tag_parent ON tag (substr(value, 1, 64), run) WHERE key = 'mlflow.parentRunId';

CREATE INDEX run_by_name ON run (experiment, deleted, substr(name, 1, 64), start_time_ms);
CREATE INDEX run_by_user ON run (experiment, deleted, substr(user_id, 1, 64), start_time_ms);
CREATE INDEX run_by_status ON run (experiment, deleted, status, start_time_ms);
CREATE INDEX run_by_end ON run (experiment, deleted, end_time_ms);

CREATE INDEX registered_model_by_update ON registered_model (updated_at);
CREATE INDEX registered_model_by_creation ON registered_model (created_at);
DROP INDEX registered_model_tag_by_name;
CREATE INDEX registered_model_tag_by_value ON registered_model_tag (name, substr(value, 1, 64), model);

CREATE INDEX model_version_of_model_by_update ON model_version (model, deleted, updated_at);
CREATE INDEX model_version_of_model_by_creation ON model_version (model, deleted, created_at);
CREATE INDEX model_version_by_stage ON model_version (model, deleted, stage, version);
CREATE INDEX model_version_by_creation ON model_version (deleted, created_at);
CREATE INDEX model_version_by_number ON model_version (deleted, version);
CREATE INDEX model_version_by_source ON model_version (deleted, substr(source, 1, 64));
DROP INDEX model_version_by_run;
CREATE INDEX model_version_by_run ON model_version (substr(run_id, 1, 64), deleted, updated_at);
DROP INDEX model_version_tag_by_name;
CREATE INDEX model_version_tag_by_value ON model_version_tag (name, substr(value, 1, 64), version);
