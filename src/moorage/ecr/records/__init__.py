"""What the registry keeps: one frozen record a file.

May import `ground` and `shapes`; a record holds facts alone, nothing that can be counted.
Begin reading at `repository.py`, then `layer.py` and `image.py`.
"""
