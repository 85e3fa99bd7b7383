"""The local provider: a thin adapter to the cloud on this machine."""
