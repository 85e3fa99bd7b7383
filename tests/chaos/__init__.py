"""Real processes, killed at random under load: nothing lost, doubled, orphaned or left behind."""
