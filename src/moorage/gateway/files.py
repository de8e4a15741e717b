"""How many files and sockets this process may have open: each connection is one, each host has two."""

import logging
import resource

from moorage.gateway.settings import Settings

# The database, the logs, blobs that are read and written.
OTHER_FILES = 512
# The websockets of so many hosts are to fit in beside the connections of clients.
HOSTS = 1000
SOCKETS_OF_HOST = 2
_log = logging.getLogger("moorage.server")


def allow_files(settings: Settings) -> int:
    """Raise the limit on open files as far as this process may; answers it.

    Says so where that is too little for the connections that the settings allow and some hosts.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    wanted = settings.connections + OTHER_FILES + SOCKETS_OF_HOST * HOSTS
    if hard != resource.RLIM_INFINITY and hard < wanted:
        hosts = max(hard - settings.connections - OTHER_FILES, 0) // SOCKETS_OF_HOST
        _log.warning(
            "this process may have %d files open: enough for about %d hosts beside %d connections "
            "of clients; raise the hard limit (LimitNOFILE= of systemd, ulimit -Hn), or lower the "
            "setting connections",
            *(hard, hosts, settings.connections),
        )
    return hard
