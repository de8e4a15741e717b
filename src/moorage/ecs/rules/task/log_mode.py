"""How a container's log driver is fed, where its definition leaves that open.

LogConfiguration in Amazon's model: without the option `mode` the account setting
`defaultLogDriverMode` holds; without `max-buffer-size` the buffer of a driver that does not block
has 10m (Docker's own would have 1m). It speaks of a log driver that the definition names.
"""

from moorage.ground.record import evolve
from moorage.shapes.ecs.container_definition import ContainerDefinition

MODE = "mode"
NON_BLOCKING = "non-blocking"
BUFFER = "max-buffer-size"
BUFFER_DEFAULT = "10m"
_NO_LOGS = "none"


def with_log_mode(container: ContainerDefinition, mode: str) -> ContainerDefinition:
    """The container with the mode of its log driver written out; `mode` is the account's own.

    Blocking is what Docker does where nothing is said, so that then nothing is written.
    """
    logs = container.log_configuration
    if logs is None or logs.log_driver == _NO_LOGS:
        return container
    given = logs.options or {}
    if given.get(MODE, mode) != NON_BLOCKING:
        return container
    options = {MODE: NON_BLOCKING, BUFFER: BUFFER_DEFAULT} | given
    return evolve(container, log_configuration=evolve(logs, options=options))
