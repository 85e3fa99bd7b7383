"""UPKEEP: backups and schemas of what is kept, looked after while no server need run."""
