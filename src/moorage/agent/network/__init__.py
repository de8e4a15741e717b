"""Network modes of tasks, as rules: what a port mapping asks of the engine, and what it got.

One file a mode: `bridge.py` publishes on the host's address, `host.py` shares the host's ports.
Pure: May import `ground` and the records of `runtime/port.py`, nothing else.
Begin reading at `bridge.py`.
"""
