"""The one door to the database: SQLite by default, PostgreSQL by URL.

A unit of work is a function of one `Transaction`; `Database.write` and `Database.read` run it in a
thread of the database and answer with a future. A `Table` keeps records: key columns, the few
columns that are searched by, and one JSON document. What a commit changed is told to whoever
watches (`changes.py`); who may do what is settled by leases (`lease.py`).

May import `ground`, SQLAlchemy Core, sqlite3 and psycopg; knows no record of any house.
Begin reading at `engine.py`, then `transaction.py` and `document.py`.
"""
