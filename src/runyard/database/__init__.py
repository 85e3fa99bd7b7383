"""FLOOR: how to talk to a database (connections, group commit, migrations); nothing about what."""
