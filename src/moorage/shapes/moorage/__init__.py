"""The wire structs of our own calls: the JSON 1.1 target `Moorage_V1`, signed like Amazon's.

One file a resource, written by hand: `account.py`, `host.py`; `operations.py` lists each operation
with its request and its response. Members are in camel case on the wire, in snake case here, and
default to None, which is never written. May import `ground` and the hand-written files of
`moorage.shapes`. Begin reading at `operations.py`.
"""
