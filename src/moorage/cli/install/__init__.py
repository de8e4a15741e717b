"""`moorage agent install` and `moorage serve install`: units of systemd, and their removal.

A unit runs the same command with the same options as a person would in a terminal, started again
whenever it ends. `unit.py` makes the text (pure), `systemd.py` is the port to the machine's
systemd, `words.py` turns what was typed into the words of a unit; each other file is one
subcommand. May import what `moorage.cli` may. Begin reading at `agent.py`.
"""
