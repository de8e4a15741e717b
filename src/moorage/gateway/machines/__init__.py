"""Where the machines of pools come from: a small port, its adapters, and who gives the orders.

`port.py` is the port `Machines` (create, destroy, list); `local.py` starts agents on this machine,
`command.py` calls commands of the operator's, `memory.py` is the peer for tests. `foreman.py`
carries out the orders that the controller of pools has written, again and again until they are
done. Which machines there are to be is decided in `ecs/controllers/pools.py`, not here.
Begin reading at `port.py`.
"""
