-- name: jobs_by_name
-- The jobs of this name in an environment, one for each project that has one.
SELECT project, environment, name, revision, document, applied_at, applied_by
FROM jobs WHERE environment = $1 AND name = $2 ORDER BY project

-- name: jobs_page
SELECT project, environment, name, revision, document, applied_at, applied_by
FROM jobs WHERE environment = $1 AND (name > $2 OR (name = $2 AND project > $3))
ORDER BY name, project LIMIT $4

-- name: job_upsert
INSERT INTO jobs (project, environment, name, revision, document, applied_at, applied_by)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (project, environment, name) DO UPDATE
SET revision = excluded.revision, document = excluded.document,
    applied_at = excluded.applied_at, applied_by = excluded.applied_by

-- name: revision_insert
INSERT INTO revisions (project, environment, name, revision, document, applied_at, applied_by)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: revision_document
SELECT document FROM revisions
WHERE project = $1 AND environment = $2 AND name = $3 AND revision = $4
