"""The house of the cluster: what should run, where, and how it changes.

Floors, imports go down only: `api` (the tables), `controllers` and `operations` (what happens),
`views` and `store` (how it is shown and kept), `rules` (how it is decided, pure), `records` (what
it is). Knows nothing of the registry: images meet in `kernel/images.py`; hosts are met by wire.
Begin reading at `rules/placement/place.py` and `rules/deployment/reconcile.py`, where the two
great questions are answered without any I/O; then `operations/service.py`.
"""
