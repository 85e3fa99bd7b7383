"""SQL of the time series, loaded by name."""
