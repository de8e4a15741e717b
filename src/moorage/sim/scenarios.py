"""The kinds of schedules that there are: what users do, and what goes wrong, by weight."""

from collections.abc import Mapping

from moorage.sim.schedule import MACHINES_MAX, Scenario

USERS: Mapping[str, int] = {
    "create": 7,
    "create-placed": 5,
    "create-daemon": 3,
    "create-pooled": 1,
    "scale": 12,
    "deploy": 10,
    "deploy-daemon": 3,
    "pause": 5,
    "redeploy": 2,
    "reshape": 3,
    "delete": 3,
    "delete-daemon": 1,
    "run": 9,
    "run-pooled": 4,
    "repeat": 5,
    "stop": 7,
    "protect": 6,
    "unprotect": 2,
    "go-on": 6,
    "unpause": 1,
    "break-off": 3,
    "drain": 4,
    "activate": 5,
    "attribute": 4,
    "unattribute": 1,
    "balance": 2,
    "change-provider": 1,
    "freeze": 3,
    "thaw": 2,
    "deregister": 3,
    "set": 1,
    "rehearse": 6,
    "look": 8,
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
    "engine-silent": 1,
    "disk-full": 2,
    "registry-away": 1,
    "container-dies": 4,
    "join": 2,
}
POOLS: Mapping[str, int] = {"yard-closed": 1, "vanish": 1}

SERVER: Mapping[str, int] = {
    "kill-server": 8,
    "stop-server": 3,
    "statements-fail": 3,
    "disk-breaks": 1,
}
CLOCKS: Mapping[str, int] = {"skew": 3, "skew-server": 1}

SCENARIOS: Mapping[str, Scenario] = {
    "chaos": Scenario(
        users=USERS, faults={**NETWORK, **HOSTS, "forget": 1, **POOLS, **SERVER, **CLOCKS}
    ),
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
    "pools": Scenario(
        users={**USERS, "run-pooled": 20, "create-pooled": 4, "change-provider": 3},
        faults={"yard-closed": 4, "vanish": 6, "cut": 2, "power": 2, "kill-server": 4},
        machines=(3, 4),
    ),
    "rollouts": Scenario(
        users={**USERS, "pause": 20, "go-on": 20, "break-off": 10, "protect": 12},
        faults={"cut": 2, "kill-server": 4, "stop-server": 2, "power": 2, "container-dies": 4},
    ),
    "joins": Scenario(
        users={**USERS, "create-daemon": 8, "deploy-daemon": 8, "protect": 10, "balance": 6},
        faults={"join": 6, "forget": 4, "power": 3, "cut": 2, "kill-server": 3, "stop-agent": 2},
    ),
    "waves": Scenario(users=USERS, faults={"blackout": 3, "cut-many": 3, "kill-server": 2}),
}
DEFAULT = "chaos"
