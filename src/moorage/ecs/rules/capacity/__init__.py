"""Capacity providers: what may be asked of them, who gets which task, how many hosts there should be.

A provider is a name for a pool of hosts of the operator's settings. `strategy.py` shares tasks out
by base and weight; `scaling.py` is ECS's managed scaling as arithmetic; `demand.py` counts how many
hosts more the tasks that wait would need; `retirement.py` says which hosts may go, and when;
`happenings.py` what the timeline tells of machines.
Pure: records and values in, records out. Begin reading at `scaling.py`.
"""
