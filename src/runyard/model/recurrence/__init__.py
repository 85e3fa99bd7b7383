"""When something recurs, as people write it: cron, Cloud Scheduler's English, `every 15m`.

`reading.read` makes a `Recurrence` of a text; nothing here knows a clock or a time zone. What
instants follow from one, with a zone and a rule for its transitions, is `runyard.flow.schedule`'s.
"""
