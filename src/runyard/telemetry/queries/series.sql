-- name: series_put
-- A series, unless it is there.
INSERT INTO series (id, environment, project, job, region, metric, labels)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING

-- name: series_put (postgresql)
INSERT INTO series (id, environment, project, job, region, metric, labels)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                     $7::text[])
ON CONFLICT (id) DO NOTHING

-- name: points_put
-- What a process has seen of a step so far: takes the place of what it said before.
INSERT INTO points (series, step, at, writer, count, total, low, high, buckets)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (series, step, at, writer) DO UPDATE
SET count = excluded.count, total = excluded.total, low = excluded.low, high = excluded.high,
    buckets = excluded.buckets

-- name: points_put (postgresql)
INSERT INTO points (series, step, at, writer, count, total, low, high, buckets)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[],
                     $6::float8[], $7::float8[], $8::float8[], $9::text[])
ON CONFLICT (series, step, at, writer) DO UPDATE
SET count = excluded.count, total = excluded.total, low = excluded.low, high = excluded.high,
    buckets = excluded.buckets

-- name: points_of_job
-- Points of a job ($1 environment, $2 project, $3 name) that touch the time from $4 to before $5;
-- of metrics and regions in JSON lists ($6, $7), empty: of all.
SELECT s.region, s.metric, s.labels, p.step, p.at, p.count, p.total, p.low, p.high, p.buckets
FROM series s JOIN points p ON p.series = s.id
WHERE s.environment = $1 AND s.project = $2 AND s.job = $3
  AND p.at + p.step * 1000000 > $4 AND p.at < $5
  AND ($6 = '[]' OR s.metric IN (SELECT value FROM json_each($6)))
  AND ($7 = '[]' OR s.region IN (SELECT value FROM json_each($7)))
ORDER BY p.at

-- name: points_of_job (postgresql)
SELECT s.region, s.metric, s.labels, p.step, p.at, p.count, p.total, p.low, p.high, p.buckets
FROM series s JOIN points p ON p.series = s.id
WHERE s.environment = $1 AND s.project = $2 AND s.job = $3
  AND p.at + p.step * 1000000 > $4 AND p.at < $5
  AND ($6::text = '[]' OR s.metric = ANY (ARRAY(SELECT json_array_elements_text($6::json))))
  AND ($7::text = '[]' OR s.region = ANY (ARRAY(SELECT json_array_elements_text($7::json))))
ORDER BY p.at

-- name: points_oldest
-- The oldest instant of points of a step.
SELECT min(at) FROM points WHERE step = $1

-- name: points_to_merge
-- Points of some ($4) series in the time from $2 to before $3, of step $1 or of an hour.
SELECT series, step, at, count, total, low, high, buckets FROM points
WHERE step IN ($1, 3600) AND at >= $2 AND at < $3 AND series IN (
    SELECT DISTINCT series FROM points WHERE step = $1 AND at >= $2 AND at < $3
    ORDER BY series LIMIT $4)
ORDER BY series

-- name: points_merged
-- Forget what was merged: points of step $1 in the time from $2 to before $3, up to series $4.
DELETE FROM points WHERE step = $1 AND at >= $2 AND at < $3 AND series <= $4

-- name: points_delete
-- Forget the points of step $1 from before $2.
DELETE FROM points WHERE step = $1 AND at < $2

-- name: series_delete
-- Forget series without a point.
DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM points WHERE points.series = series.id)

-- name: series_own_of_job
-- What a job ($1 environment, $2 project, $3 name) measures itself.
SELECT DISTINCT metric, labels FROM series
WHERE environment = $1 AND project = $2 AND job = $3 AND metric LIKE 'own.%'
