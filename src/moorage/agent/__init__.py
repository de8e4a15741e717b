"""The host agent: a guest on a machine, which runs what the control plane asks it to run.

It knows the control plane by wire alone (the protocol that Amazon's own agent speaks, `acs`, and
the public ECS API) and may be installed by itself: it imports `ground`, `wire`, `shapes` and
`acs`, never a house of the server.

`records` is what it knows, `engine` what it decides (pure: events in, instructions out),
`session` turns messages of the server into events; `runtime`, `network`, `checkpoint` and `shell`
perform instructions and feed back events. Begin reading at `engine/machine.py`.
"""
