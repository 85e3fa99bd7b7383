"""Several providers behind the one port: who is asked for what."""
