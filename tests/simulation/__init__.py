"""Seeded worlds: engines die, the cloud lies, clocks differ, and every promise must hold.

One seed is one world, replayed exactly by `make sim SEED=n`. See `world.py`.
"""
