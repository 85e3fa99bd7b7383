"""The spawner process itself. Standard library only: it runs as `python -I -S` and stays small."""
