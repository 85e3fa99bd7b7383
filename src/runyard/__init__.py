"""Runyard automates Google Cloud Run jobs, on one laptop or on Google Cloud."""

__version__ = "0.1.0"
