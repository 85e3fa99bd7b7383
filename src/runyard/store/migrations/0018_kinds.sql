-- Triggers other than schedules, by kind. Asked for at each event; schedules may be a hundred thousand.
CREATE INDEX triggers_by_kind ON triggers (kind, environment, job, project, name)
    WHERE kind <> 'schedule';
