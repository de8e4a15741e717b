"""The kinds of schedules that there are: what users do, and what goes wrong, by weight."""

from collections.abc import Mapping

from moorage.sim.schedule import MACHINES_MAX, Scenario

USERS: Mapping[str, int] = {
    "create": 10,
    "scale": 14,
    "deploy": 14,
    "delete": 3,
    "run": 14,
    "repeat": 6,
    "stop": 8,
    "drain": 4,
    "activate": 5,
    "freeze": 3,
    "thaw": 2,
    "deregister": 4,
    "look": 13,
}
NETWORK: Mapping[str, int] = {
    "cut": 4,
    "cut-one-way": 4,
    "cut-desk": 2,
    "cut-many": 1,
    "storm": 4,
    "reset": 3,
}
HOSTS: Mapping[str, int] = {
    "kill-agent": 4,
    "stop-agent": 3,
    "power": 4,
    "blackout": 1,
    "engine-down": 3,
    "engine-hangs": 3,
    "disk-full": 2,
    "registry-away": 1,
    "container-dies": 4,
}
SERVER: Mapping[str, int] = {
    "kill-server": 8,
    "stop-server": 3,
    "statements-fail": 3,
    "disk-breaks": 1,
}
CLOCKS: Mapping[str, int] = {"skew": 3, "skew-server": 1}

SCENARIOS: Mapping[str, Scenario] = {
    "chaos": Scenario(users=USERS, faults={**NETWORK, **HOSTS, **SERVER, **CLOCKS}),
    "calm": Scenario(users=USERS, faults={}),
    "network": Scenario(users=USERS, faults=NETWORK),
    "hosts": Scenario(users=USERS, faults=HOSTS),
    "server": Scenario(users=USERS, faults=SERVER),
    "clocks": Scenario(users=USERS, faults={**CLOCKS, "cut": 2, "kill-server": 2}),
    "removals": Scenario(
        users={**USERS, "remove": 5},
        faults={"rejoin": 8, "cut": 3, "power": 3, "kill-agent": 2, "kill-server": 3},
        machines=(5, MACHINES_MAX),
    ),
    "waves": Scenario(users=USERS, faults={"blackout": 3, "cut-many": 3, "kill-server": 2}),
}
DEFAULT = "chaos"
