"""The documents of OCI and Docker registries, written by hand from their specifications.

Sources: OCI image specification 1.1 (descriptor, manifest, index), Docker's "Image Manifest
Version 2, Schema 2" (manifest, manifest list), OCI distribution specification 1.1 (error codes).
These structs are read, never written again: a manifest is kept as the bytes that were pushed,
since its digest is theirs. May import `ground` and `shapes.scalar`. Begin reading at
`descriptor.py`, then `manifest.py`.
"""
