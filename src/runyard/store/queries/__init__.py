"""SQL, one file per noun, loaded by name."""
