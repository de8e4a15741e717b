"""The two forms that all control-plane behaviour takes: operations and controllers.

An operation is one API action as one function in one transaction; a controller is handed one key,
converges what the key names, and says when to look again. Both are synchronous, so nothing
interleaves inside one; all their effects are rows, so one that met a conflict is simply run again.

May import `ground`, `shapes`, `wire` and `sql`; knows no house. `agenda.py` is pure.
Begin reading at `call.py`, then `operation.py` and `controller.py`.
"""
