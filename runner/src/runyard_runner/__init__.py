"""A SERVICE: who is called when one HTTP call has to become many, and what came of each?

A distribution of its own (`runyard-runner`): it imports nothing of Runyard.
"""

__version__ = "0.1.0"
