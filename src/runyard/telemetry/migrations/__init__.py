"""The steps of the time series' schema, applied in order by `runyard.database.migrations`."""
