"""What the agent decides: a machine without I/O, events in, instructions out.

`Engine.handle(event, now)` takes one fact in and answers what is to be done now, in order; the
shell performs it and feeds back completions. Nothing here opens, waits, reads a clock or logs, so
that a test says: given this event, exactly these instructions.

May import `ground`, `acs` and `agent.records`. Begin reading at `events.py`, `instructions.py`
and `machine.py`; `advance.py` is the rule by which a task moves on.
"""
