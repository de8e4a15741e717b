"""Content-addressed bytes: what layers, configurations and large manifests are kept in.

The port `BlobStore` (store.py) and its adapters: files with fsync and rename (filesystem.py, with
staging.py, the writer of one upload) and a peer in memory for tests and the simulator (memory.py).
A store knows digests, bytes and unfinished uploads; who may see a blob, and which blob is still
needed, is decided by rows elsewhere: a digest alone gives nobody a right.

May import ground and the standard library, nothing else of Moorage; it knows no HTTP and no SQL.
Everything is synchronous and may be called from any thread. Begin reading at `store.py`, then the
picture of the folders at the top of `filesystem.py`.
"""
