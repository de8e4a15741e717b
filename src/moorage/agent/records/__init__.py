"""What the agent knows: tasks, containers, images, the host, and what it reports of them.

Frozen and serialisable: the checkpoint on disk is these records, one a task and one for the host,
so each new member has a default. Pure. May import `ground` and `acs` (a task is kept as the
payload brought it). Begin reading at `task.py`.
"""
