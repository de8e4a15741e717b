"""What happens by itself: each controller is handed one key and converges what it names.

`deployments` (a service: reconcile, place, write, in one transaction), `instances` (a host and
its tasks), `tasks` (a task's end), `assignments` (what a host should hold and has not taken in).
Level, not edge: each reads the rows and does what is missing; run twice, it changes nothing more.
Controllers do not know each other. May import `kernel`, `acs` and the floors below.
Begin reading at `deployments.py`.
"""
