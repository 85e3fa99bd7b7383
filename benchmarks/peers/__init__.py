"""Others beside us: each does the same number of no-op runs, in an environment of its own."""
