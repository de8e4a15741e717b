"""How `tools/shapes.py` turns botocore's service models into the wire structs of `moorage.shapes`.

`model.py` reads a model, `homes.py` says by hand which file is the home of which operation,
`placing.py` finds a home for every other shape so that imports only go down, `names.py` turns wire
names into Python's, `structs.py` and `tables.py` write the text. May import the standard library,
botocore and msgspec, and nothing of Moorage. Begin reading at `homes.py`.
"""
