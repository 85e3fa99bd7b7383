"""Measurements, one file each: a `NAME`, a `UNIT`, and `measure() -> float`, larger is better."""
