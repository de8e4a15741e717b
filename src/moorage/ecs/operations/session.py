"""What agents say on their websockets: synchronous handlers, each run in one transaction."""
