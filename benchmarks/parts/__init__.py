"""The parts of `benchmarks.engine`, one file each: what is measured, and how."""
