"""The numbered steps of the schema, forward only: each a module with `upgrade(tx)`.

The number in a module's name is the version that it leads to. A step that has been released is
never edited. Tables and indices that houses declare need none: `migrate.py` adds what is missing.
Begin reading at `0001_first.py`.
"""
