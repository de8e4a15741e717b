"""What becomes of a host: lost, returned, flapping, one of too many, drained.

`loss` says what is written when a host is lost and when it returns (how long it may be silent is
counted in `moorage.acs.patience`), `flapping` which hosts take nothing back for a while, `brake`
when so many are lost at once that nothing is replaced, `drain` what happens at a drain's
deadline, `engine` what an agent says of its engine, `avoidance` which hosts a service keeps away
from because it failed there, `precedence` that a host's daemons run first. What the services do
about it all is decided in `rules/deployment`; the two meet in the members of the record
`ContainerInstance`.

May import what all rules may. Begin reading at `loss.py`; the words are defined in
`docs/explanation/when-a-host-dies.md`.
"""
