"""How the registry decides: pure functions over manifests, references and tags.

May import `ground`, `shapes` and `ecr.records`. Begin reading at `manifest.py`.
"""
