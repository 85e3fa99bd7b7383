"""MEMORY: one small port per noun, its SQL kept as text in `queries/`."""
