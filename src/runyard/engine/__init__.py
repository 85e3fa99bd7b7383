"""LOOPS: one file, one loop, one tick(now). Dying anywhere is normal."""
