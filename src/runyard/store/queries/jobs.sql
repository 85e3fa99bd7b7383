-- name: jobs_by_name
-- The jobs of this name in an environment, one for each project that has one.
SELECT project, environment, name, revision, document, applied_at, applied_by, operation, blocked,
       conditions
FROM jobs WHERE environment = $1 AND name = $2 ORDER BY project

-- name: jobs_page
SELECT project, environment, name, revision, document, applied_at, applied_by, operation, blocked,
       conditions
FROM jobs WHERE environment = $1 AND (name > $2 OR (name = $2 AND project > $3))
ORDER BY name, project LIMIT $4

-- name: jobs_every
SELECT project, environment, name, revision, document, applied_at, applied_by, operation, blocked,
       conditions
FROM jobs ORDER BY environment, name, project

-- name: job_upsert
INSERT INTO jobs (project, environment, name, revision, document, applied_at, applied_by,
                  operation, blocked, conditions)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (project, environment, name) DO UPDATE
SET revision = excluded.revision, document = excluded.document,
    applied_at = excluded.applied_at, applied_by = excluded.applied_by,
    operation = excluded.operation, blocked = excluded.blocked,
    conditions = excluded.conditions

-- name: job_delete
DELETE FROM jobs WHERE project = $1 AND environment = $2 AND name = $3

-- name: revision_insert
INSERT INTO revisions (project, environment, name, revision, document, applied_at, applied_by)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: revision_document
SELECT document FROM revisions
WHERE project = $1 AND environment = $2 AND name = $3 AND revision = $4

-- name: revisions_delete
-- Forget the revisions of a job up to one.
DELETE FROM revisions
WHERE project = $1 AND environment = $2 AND name = $3 AND revision <= $4

-- name: deleted_job_upsert
INSERT INTO deleted_jobs (project, environment, name, revision, document, deleted_at, deleted_by,
                          purge_at, operation)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (project, environment, name) DO UPDATE
SET revision = excluded.revision, document = excluded.document, deleted_at = excluded.deleted_at,
    deleted_by = excluded.deleted_by, purge_at = excluded.purge_at, operation = excluded.operation

-- name: deleted_job_delete
DELETE FROM deleted_jobs WHERE project = $1 AND environment = $2 AND name = $3

-- name: deleted_job_purge
UPDATE deleted_jobs SET document = 'null'
WHERE project = $1 AND environment = $2 AND name = $3

-- name: deleted_jobs_by_name
SELECT project, environment, name, revision, document, deleted_at, deleted_by, purge_at, operation
FROM deleted_jobs WHERE environment = $1 AND name = $2 ORDER BY project

-- name: deleted_jobs_page
SELECT project, environment, name, revision, document, deleted_at, deleted_by, purge_at, operation
FROM deleted_jobs WHERE environment = $1 AND document <> 'null' ORDER BY name, project

-- name: deleted_jobs_to_purge
SELECT project, environment, name, revision, document, deleted_at, deleted_by, purge_at, operation
FROM deleted_jobs WHERE purge_at <= $1 AND document <> 'null'
ORDER BY purge_at, project, environment, name LIMIT $2

-- name: job_names
SELECT project, name FROM jobs WHERE environment = $1 ORDER BY project, name
