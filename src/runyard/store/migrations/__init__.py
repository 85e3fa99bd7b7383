"""The schema's steps, applied in order by `runyard.database.migrations`."""
