"""What must always hold: one law a file, named after the invariant that it checks.

A law sees every commit of the control plane (`Commit`: what each row was and is), everything that
happens on the engines, every answer that a user got, and the end. It keeps its own books and says
in a sentence what was broken. It may import `sim.sight` (what is seen), `sim.words` and the records of the
houses; it never touches the world. `table.py` lists them all. Begin reading at `law.py`.
"""
