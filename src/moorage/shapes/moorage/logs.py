"""Where the output of containers is: what to ask the log stream for."""

from moorage.ground.record import Record


class FindLogsRequest(Record, rename="camel"):
    """The containers of a service or of a task, by name, id or ARN; perhaps one of them only."""

    cluster: str | None = None
    service: str | None = None
    task: str | None = None
    container: str | None = None


class LogSource(Record, rename="camel"):
    """One container's output, on the host that holds it."""

    instance_arn: str | None = None
    task_arn: str | None = None
    container_name: str | None = None
    last_status: str | None = None


class FindLogsResponse(Record, rename="camel"):
    """The containers, the newest task first."""

    sources: list[LogSource] | None = None
