"""The spawner: a small process of its own that starts tasks and outlives the engine."""
