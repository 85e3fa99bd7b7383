"""Logs of executions on this machine: how they lie on disk, and how they are read."""
