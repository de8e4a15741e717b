"""What everything stands on: pure types, and the two ports on the universe, time and chance.

May import the standard library and msgspec; nothing of Moorage outside this room.
`clock.py` is the one file that may read the time, `chance.py` the one file that may be random.
Begin reading at `record.py` and `fault.py`.
"""
