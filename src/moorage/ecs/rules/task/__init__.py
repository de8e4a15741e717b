"""How a task moves, and what its host is told.

`status` is the one table of moves, `advance` takes a host's report in, `health` a health report,
`stop` orders a stop, `payload` writes the task as the agent's protocol carries it (`container`
and `docker_config` are its parts). Begin reading at `status.py`.
"""
