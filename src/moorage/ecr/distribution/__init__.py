"""The OCI /v2/ data plane: streams bytes into and out of the blob store.

All of it is shell: what is allowed and what is kept is decided by the operations that it calls.
Begin reading at `exchange.py`, which says what it needs of whoever listens, then `route.py`.
"""
