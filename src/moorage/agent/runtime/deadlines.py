"""How long each call to a container engine may take: every one has a bound, and here is its name.

A healthy engine answers look-ups in milliseconds; the bounds are for disks, registries and drivers
that are slow, not for engines that hang. Those are found sooner, by the vigil, and then all calls
that are out are given up at once (`breaker.py`).
"""

PING_SECONDS = 5.0  # "are you there?", over a connection of its own
ROSTER_SECONDS = 10.0  # one list of all containers, without details
INSPECT_SECONDS = 10.0  # one container
LOOK_SECONDS = 60.0  # a full look: the list, and every container of it
CALL_SECONDS = 30.0  # any other question
USAGE_SECONDS = 15.0  # the counters of one container
CREATE_SECONDS = 240.0  # a slow volume driver or a busy disk
START_SECONDS = 180.0  # as Amazon's agent waits
STOP_SLACK_SECONDS = 60.0  # beyond the container's own stop timeout
REMOVE_SECONDS = 300.0  # large writable layers on a busy disk
PULL_SECONDS_MAX = 7200.0  # Amazon's agent's own bound
PULL_STALL_SECONDS = 60.0  # nothing moved for so long
PULL_BEGIN_SECONDS = 90.0  # the registry's first answer, over a slow link
