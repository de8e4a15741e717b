"""How AWS speaks on HTTP: bytes in, structs out.

Knows no service: which targets exist, which shapes they take and who may call is handed in.
Imports `ground`, msgspec and the standard library; `client.py` alone also imports aiohttp,
because agent, console and cli are guests that know the server by this room alone.

Begin reading at `request.py`, then in the order of a request's life: `route.py`, `sigv4.py`
(which stands on `canonical.py`, and on `presign.py` for signatures in the query string),
`json11.py` or `query.py`. `client.py` goes the other way, on the same codecs.
"""
