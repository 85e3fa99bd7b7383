"""DECISIONS: pure functions that say what happens next. No clock, no randomness, no I/O."""
