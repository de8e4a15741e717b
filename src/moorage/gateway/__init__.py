"""The only room that listens, and the composition root: ports meet adapters, tables meet routes.

One port serves the AWS APIs, the registry under /v2/, the agents' websockets and /healthz. All of
it is shell: asynchronous, thin, without decisions; those are made in the houses. May import every
room but `agent`, `sim` and `cli`.

Begin reading at `compose.py`, which builds the whole server in one function, then `aws.py`: the
life of one request on one page.
"""
