"""How Amazon and OCI name things on the wire: frozen structs, tables, no behaviour.

`ecs`, `ecr` and `sts` are generated from botocore's models by `tools/shapes.py` (`make shapes`);
`oci` is written by hand from the OCI specifications, `moorage` is our own API's part. Every member
defaults to None and is then not written. `constraint.py` walks the models' demands on requests.
May import `ground`, msgspec and the standard library. Begin reading at `ecs/cluster.py`, then
`constraint.py`.
"""
