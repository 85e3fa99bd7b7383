-- name: environments_by_name
-- The environments of this name, one for each project that has one.
SELECT project, name, revision, body, applied_at, applied_by
FROM environments WHERE name = $1 ORDER BY project

-- name: environments_of_project
SELECT project, name, revision, body, applied_at, applied_by
FROM environments WHERE project = $1 ORDER BY name

-- name: environments_all
SELECT project, name, revision, body, applied_at, applied_by
FROM environments ORDER BY project, name

-- name: environment_revisions_all
SELECT project, name, revision, body, applied_at, applied_by
FROM environment_revisions ORDER BY project, name, revision

-- name: environments_used
-- Where jobs are, and how many.
SELECT project, environment, count(*) FROM jobs
GROUP BY project, environment ORDER BY project, environment

-- name: environment_upsert
INSERT INTO environments (project, name, revision, body, applied_at, applied_by)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (project, name) DO UPDATE
SET revision = excluded.revision, body = excluded.body,
    applied_at = excluded.applied_at, applied_by = excluded.applied_by

-- name: environment_revision_insert
INSERT INTO environment_revisions (project, name, revision, body, applied_at, applied_by)
VALUES ($1, $2, $3, $4, $5, $6)
