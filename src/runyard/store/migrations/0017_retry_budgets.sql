-- What the runs of a job have spent together of its budget of retries, in the stretch of time that
-- began last.
CREATE TABLE retry_budgets (
    project     TEXT NOT NULL,
    environment TEXT NOT NULL,
    job         TEXT NOT NULL,
    began_at    BIGINT NOT NULL,
    retries     BIGINT NOT NULL,
    PRIMARY KEY (project, environment, job)
);
