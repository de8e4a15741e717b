"""Moorage: a private image registry and a container cluster that speak Amazon's own protocols.

Rooms stand on floors and import downwards only: `ground` carries the types everything uses;
`shapes`, `wire`, `sql`, `blob` and `acs` know nothing of each other; `kernel` gives the two forms
that all behaviour takes; the houses `iam`, `ecr`, `ecs` and the guest `agent` stand above it;
`gateway` is the only room that listens, and `cli` is the door for people.

Begin reading at `ecs/rules/placement/place.py`, then `ecs/operations/cluster.py`.
"""
