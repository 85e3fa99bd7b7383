-- name: revision_projects
-- The projects that have, or had, a job of this name in an environment.
SELECT DISTINCT project FROM revisions WHERE environment = $1 AND name = $2 ORDER BY project

-- name: revisions_page
-- Revisions of a job before one of them, newest first.
SELECT revision, document, applied_at, applied_by FROM revisions
WHERE project = $1 AND environment = $2 AND name = $3 AND revision < $4
ORDER BY revision DESC LIMIT $5
