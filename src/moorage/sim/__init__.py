"""The whole system in one thread, under one seed: the real server and the real agents, simulated.

A seed becomes a schedule of users and disasters (`schedule`); `world` is the virtual time, `network`
what lies between machines, `plane` the control plane on a database in memory, `machine` a host with
its engine and its agent. `laws` are what must always hold, one a file. `run` plays one schedule and
says what it broke; `shrink` makes a failure short enough to be told.

May import every room but `cli`. Nothing in production knows of it. Begin reading at `run.py`, then
`world.py` and `laws/law.py`; docs/explanation/simulator.md says what is covered and what is not.
"""
