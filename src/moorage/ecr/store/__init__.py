"""How the registry's facts are kept: functions with the transaction first, one file a table.

What several tables must agree on stands in files of its own: `manifests.py` takes a manifest in,
`contents.py` empties a repository. May import `ground`, `shapes`, `sql`, `kernel` and the floors
below. Begin reading at `layers.py`, then `manifests.py`.
"""
