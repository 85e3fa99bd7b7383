"""NOUNS: what the things of Runyard are. No clock, no randomness, no environment, no I/O."""
