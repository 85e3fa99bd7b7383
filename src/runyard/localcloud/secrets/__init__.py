"""Secret Manager on this machine: versions 1, 2, ... of named values, sealed on disk."""
