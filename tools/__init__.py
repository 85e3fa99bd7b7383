"""WORKSHOP: what the people who build Runyard need. Never shipped, imported by nothing in src."""
