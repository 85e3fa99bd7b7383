-- name: account_by_email
-- The one that is not deleted, else the one that was deleted last.
SELECT unique_id, email, project, display_name, created_at, disabled, deleted_at, kept
FROM service_account WHERE email = $1
ORDER BY deleted_at IS NOT NULL, deleted_at DESC LIMIT 1;

-- name: account_by_unique_id
SELECT unique_id, email, project, display_name, created_at, disabled, deleted_at, kept
FROM service_account WHERE unique_id = $1;

-- name: accounts_of_project
SELECT unique_id, email, project, display_name, created_at, disabled, deleted_at, kept
FROM service_account WHERE project = $1 AND deleted_at IS NULL ORDER BY email;

-- name: account_put
INSERT INTO service_account (unique_id, email, project, display_name, created_at, disabled,
                             deleted_at, kept)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (unique_id) DO UPDATE SET
    display_name = excluded.display_name, disabled = excluded.disabled,
    deleted_at = excluded.deleted_at, kept = excluded.kept;

-- name: accounts_purge
DELETE FROM service_account WHERE deleted_at < $1;

-- name: policy_version
SELECT version FROM iam_policy WHERE resource = $1;

-- name: policy_put
INSERT INTO iam_policy (resource, version) VALUES ($1, $2)
ON CONFLICT (resource) DO UPDATE SET version = excluded.version;

-- name: policy_forget
DELETE FROM iam_policy WHERE resource = $1;

-- name: grants_of_resource
SELECT role, member FROM iam_grant WHERE resource = $1;

-- name: grants_of_member
SELECT resource, role, member FROM iam_grant WHERE member = $1;

-- name: grant_add
INSERT INTO iam_grant (resource, role, member) VALUES ($1, $2, $3);

-- name: grant_remove
DELETE FROM iam_grant WHERE resource = $1 AND role = $2 AND member = $3;

-- name: grants_forget
DELETE FROM iam_grant WHERE resource = $1;

-- name: holds_of_holder
SELECT resource, role, member FROM iam_hold WHERE holder = $1;

-- name: holders_of_grant
SELECT holder FROM iam_hold WHERE resource = $1 AND role = $2 AND member = $3;

-- name: holders_of_resource
SELECT DISTINCT holder FROM iam_hold WHERE resource = $1 ORDER BY holder;

-- name: hold_add
INSERT INTO iam_hold (holder, resource, role, member) VALUES ($1, $2, $3, $4)
ON CONFLICT (holder, resource, role, member) DO NOTHING;

-- name: hold_remove
DELETE FROM iam_hold WHERE holder = $1 AND resource = $2 AND role = $3 AND member = $4;

-- name: holds_forget
DELETE FROM iam_hold WHERE resource = $1;

-- name: holds_remove_grant
DELETE FROM iam_hold WHERE resource = $1 AND role = $2 AND member = $3;
