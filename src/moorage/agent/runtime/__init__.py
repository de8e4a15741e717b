"""The port on a container engine, and its adapters.

`port.py` says what an engine must do and in which records it answers; `docker.py` does it with
Docker Engine's HTTP interface over its socket, `memory.py` with containers that exist only in
memory, for tests and the simulator. One contract suite runs on both, and on `guarded.py`, through
which the agent calls either: lanes and deadlines (`breaker.py`) keep a call that hangs from others.
May import `ground` and aiohttp; knows no task, no cluster and no control plane.
Begin reading at `port.py`.
"""
