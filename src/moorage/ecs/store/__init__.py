"""How the cluster's facts are kept: functions with the transaction first, one file a table.

Each write wakes the controllers that must look: a task wakes its service, its host and itself, a
host wakes itself, its cluster and the services with tasks on it. A write compares the version of
what was read and raises Conflict where somebody was faster, so that the work is run again.

May import `ground`, `shapes`, `sql` and, in this house, `records` and `rules`.
Begin reading at `identity.py` and `tasks.py`; `view.py` is the snapshot that placement decides on.
"""
