"""A fleet of simulated hosts in one process: the load of many agents for little CPU.

Each host joins, registers, keeps both websockets open (ACS and TCS) and calls the public door with
signatures of its own, as our agent does: at most ten reports of tasks at once, a metric and the
word on its engine each 20 s, the same pauses before it dials again (the machine of
`acs.agent_session`). Its containers are entries of a dictionary. Its frames have a mask of zeros.

`process.py` is for who uses it: `Fleet` starts the process and talks with it by lines of JSON.
`__main__.py` is the process, `host.py` one host; `lines.py` and `socket.py` are HTTP and websockets
without a library between, since the fleet shares the machine with the server that is measured.
"""
