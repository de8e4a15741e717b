"""What happens when something has changed, or its time has come: one key in, converge, look again.

Level, not edge: a controller reads the state and converges it, and run twice it changes nothing
more. Decisions are the rules'; here they are loaded for, and carried out. Controllers do not know
each other: they wake each other by what they write. May import `kernel`, `acs` and the floors of
this house below. Begin reading at `deployments.py`; `assignments.py` says what a host is sent.
"""
