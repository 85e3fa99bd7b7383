"""A CLOUD ON THIS MACHINE: what Google Cloud is to Runyard, on one laptop.

Knows nothing of runs, triggers or the gate.
"""
