"""What happens when somebody calls: one operation a function, one resource a file.

Each is `(call, request) -> response`, synchronous, in one transaction; each member of its request
is acted on, stored and echoed, or refused by name. Operations do not know each other: what two of
them share lies below, in `store`, `views` and `rules`. May import `kernel` and those floors.
Begin reading at `cluster.py`, then `run_task.py` and `service.py`; `session.py` and `telemetry.py`
answer the agents' websockets in the same form.
"""
