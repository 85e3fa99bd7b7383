"""VOICE: what tells people."""
