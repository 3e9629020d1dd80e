-- What searches walk (tracking/run_search.h, registry/search.h). The two tables are indexes over parameters and tags that also hold the run's
-- experiment and start, so that an equal value is met in the order of the list. Triggers keep them: every writer of param and tag is served.
-- `head` is the first 64 characters of a value: values may have 8,000.
CREATE TABLE param_by_value (
  experiment BIGINT NOT NULL,
  key TEXT NOT NULL,
  head TEXT NOT NULL,
  start_time_ms BIGINT NOT NULL,
  run BIGINT NOT NULL,
  PRIMARY KEY (experiment, key, head, start_time_ms, run)
) WITHOUT ROWID;
INSERT INTO param_by_value (experiment, key, head, start_time_ms, run)
SELECT r.experiment, p.key, substr(p.value, 1, 64), r.start_time_ms, p.run FROM param p JOIN run r ON r.id = p.run
ORDER BY 1, 2, 3, 4, 5;
CREATE TRIGGER param_added AFTER INSERT ON param BEGIN
  INSERT INTO param_by_value (experiment, key, head, start_time_ms, run)
  SELECT r.experiment, NEW.key, substr(NEW.value, 1, 64), r.start_time_ms, r.id FROM run r WHERE r.id = NEW.run;
END;
CREATE TRIGGER param_changed AFTER UPDATE OF value ON param BEGIN
  UPDATE param_by_value SET head = substr(NEW.value, 1, 64)
  WHERE (experiment, start_time_ms) = (SELECT r.experiment, r.start_time_ms FROM run r WHERE r.id = OLD.run)
    AND key = OLD.key AND head = substr(OLD.value, 1, 64) AND run = OLD.run;
END;
CREATE TRIGGER param_removed AFTER DELETE ON param BEGIN
  DELETE FROM param_by_value
  WHERE (experiment, start_time_ms) = (SELECT r.experiment, r.start_time_ms FROM run r WHERE r.id = OLD.run)
    AND key = OLD.key AND head = substr(OLD.value, 1, 64) AND run = OLD.run;
END;

CREATE TABLE tag_by_value (
  experiment BIGINT NOT NULL,
  key TEXT NOT NULL,
  head TEXT NOT NULL,
  start_time_ms BIGINT NOT NULL,
  run BIGINT NOT NULL,
  PRIMARY KEY (experiment, key, head, start_time_ms, run)
) WITHOUT ROWID;
INSERT INTO tag_by_value (experiment, key, head, start_time_ms, run)
SELECT r.experiment, t.key, substr(t.value, 1, 64), r.start_time_ms, t.run FROM tag t JOIN run r ON r.id = t.run
ORDER BY 1, 2, 3, 4, 5;
CREATE TRIGGER tag_added AFTER INSERT ON tag BEGIN
  INSERT INTO tag_by_value (experiment, key, head, start_time_ms, run)
  SELECT r.experiment, NEW.key, substr(NEW.value, 1, 64), r.start_time_ms, r.id FROM run r WHERE r.id = NEW.run;
END;
CREATE TRIGGER tag_changed AFTER UPDATE OF value ON tag BEGIN
  UPDATE tag_by_value SET head = substr(NEW.value, 1, 64)
  WHERE (experiment, start_time_ms) = (SELECT r.experiment, r.start_time_ms FROM run r WHERE r.id = OLD.run)
    AND key = OLD.key AND head = substr(OLD.value, 1, 64) AND run = OLD.run;
END;
CREATE TRIGGER tag_removed AFTER DELETE ON tag BEGIN
  DELETE FROM tag_by_value
  WHERE (experiment, start_time_ms) = (SELECT r.experiment, r.start_time_ms FROM run r WHERE r.id = OLD.run)
    AND key = OLD.key AND head = substr(OLD.value, 1, 64) AND run = OLD.run;
END;

CREATE INDEX run_by_name ON run (experiment, deleted, substr(name, 1, 64), start_time_ms);
CREATE INDEX run_by_user ON run (experiment, deleted, substr(user_id, 1, 64), start_time_ms);
CREATE INDEX run_by_status ON run (experiment, deleted, status, start_time_ms);
CREATE INDEX run_by_end ON run (experiment, deleted, end_time_ms);

CREATE INDEX registered_model_by_update ON registered_model (updated_at);
CREATE INDEX registered_model_by_creation ON registered_model (created_at);
DROP INDEX registered_model_tag_by_name;
CREATE INDEX registered_model_tag_by_value ON registered_model_tag (name, substr(value, 1, 64), model);

-- A version of any stage, newest change first, within its model; the newest version of a stage.
CREATE INDEX model_version_of_model_by_update ON model_version (model, deleted, updated_at);
CREATE INDEX model_version_of_model_by_creation ON model_version (model, deleted, created_at);
CREATE INDEX model_version_by_stage ON model_version (model, deleted, stage, version);
CREATE INDEX model_version_by_creation ON model_version (deleted, created_at);
CREATE INDEX model_version_by_number ON model_version (deleted, version);
CREATE INDEX model_version_by_source ON model_version (deleted, substr(source, 1, 64));
DROP INDEX model_version_by_run;
CREATE INDEX model_version_by_run ON model_version (run_id, deleted, updated_at);
DROP INDEX model_version_tag_by_name;
CREATE INDEX model_version_tag_by_value ON model_version_tag (name, substr(value, 1, 64), version);
