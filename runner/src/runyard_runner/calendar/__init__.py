"""WHEN: which cron line says a schedule, what it is in UTC, when it runs. No clock of its own."""
