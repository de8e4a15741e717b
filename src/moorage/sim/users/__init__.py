"""The people at their desk: random but legal users, who sign, call, wait and call again.

They know only what answers told them. `desk.py` is what they know and how they call; every other
module has the steps of one kind, each a function of the desk and of a few numbers that choose,
with a table of them at its end. `table.py` puts the tables together. A step becomes part of
schedules by its weight in `sim/scenarios.py`.

May import the simulator's world, plane and machines, and the real client; knows no law. Begin
reading at `desk.py`.
"""
