"""The port on a container engine, and its adapters.

`port.py` says what an engine must do and in which records it answers; `docker.py` does it with
Docker Engine's HTTP interface over its socket, `memory.py` with containers that exist only in
memory, for tests and the simulator. One contract suite runs on both.
May import `ground` and aiohttp; knows no task, no cluster and no control plane.
Begin reading at `port.py`.
"""
