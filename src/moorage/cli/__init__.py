"""The door for people: `moorage` and its subcommands.

A client of the server like any other: it opens no database. `main.py` lists the subcommands and
loads a module only when its command is called, so that `moorage agent` stays light. May import
every room. Begin reading at `main.py`.
"""
