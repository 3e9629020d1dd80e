-- The points of a write stay together: one row of `fragment` holds those that one write added to one series, coded as a chunk is
-- (docs/formats/metric-chunk.md). Fragments are gathered into chunks, small chunks into large ones.
CREATE TABLE fragment (
  series BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  points BIGINT NOT NULL,
  time_min_ms BIGINT NOT NULL,
  time_max_ms BIGINT NOT NULL,
  step_min BIGINT NOT NULL,
  step_max BIGINT NOT NULL,
  bytes BLOB,
  PRIMARY KEY (series, ordinal)
) WITHOUT ROWID;

-- What stands in `tail`, a row a point, is fragment 0 of its series: without bytes, as its points are those rows. The next gathering of the
-- series takes them; nothing is added to `tail` any more.
INSERT INTO fragment (series, ordinal, points, time_min_ms, time_max_ms, step_min, step_max, bytes)
SELECT series, 0, COUNT(*), MIN(time_ms), MAX(time_ms), MIN(step), MAX(step), NULL FROM tail GROUP BY series;

-- time_max_ms and step_max, over all points of the series, let a point that is newer skip the search for a duplicate. `fragments` is the
-- largest ordinal of a fragment, `small_chunks` how many chunks wait to become a large one (those of before are left as they are).
CREATE TABLE series_measured (
  id INTEGER PRIMARY KEY,
  run BIGINT NOT NULL,
  key TEXT NOT NULL,
  fragments BIGINT NOT NULL,
  fragment_points BIGINT NOT NULL,
  small_chunks BIGINT NOT NULL,
  sealed_points BIGINT NOT NULL,
  time_max_ms BIGINT NOT NULL,
  step_max BIGINT NOT NULL,
  UNIQUE (run, key)
);
INSERT INTO series_measured (id, run, key, fragments, fragment_points, small_chunks, sealed_points, time_max_ms, step_max)
SELECT s.id, s.run, s.key, 0, s.tail_points, 0, s.sealed_points, COALESCE(m.time_max_ms, 0), COALESCE(m.step_max, 0)
FROM series s LEFT JOIN (
  SELECT series, MAX(time_max_ms) AS time_max_ms, MAX(step_max) AS step_max FROM (
    SELECT series, time_max_ms, step_max FROM chunk
    UNION ALL
    SELECT series, time_max_ms, step_max FROM fragment
  ) AS blocks GROUP BY series
) AS m ON m.series = s.id;
DROP TABLE series;
ALTER TABLE series_measured RENAME TO series;
