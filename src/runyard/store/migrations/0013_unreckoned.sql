-- Schedules that are enabled and have no next instant: none, which is looked for every minute.
CREATE INDEX triggers_without_instant ON triggers (environment)
    WHERE kind = 'schedule' AND state = 'enabled' AND next_at IS NULL;
