"""DECISIONS: what may be called, what counts as success, when is it tried again? Plain data in and
out: no clock, no randomness, no network."""
