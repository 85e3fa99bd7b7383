"""The place that names adapters: it alone knows which database, provider and cloud are in use."""
