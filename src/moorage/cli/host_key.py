"""`moorage host rotate-key`: a host changes the key by which it is known."""

from typing import Annotated

import typer

from moorage.cli.place import OWN_TARGET, DataOption, EndpointOption, fail, find
from moorage.ground.fault import Fault
from moorage.shapes.moorage.host import (
    RequestHostKeyRotationRequest,
    RequestHostKeyRotationResponse,
)


def rotate_key(
    host: Annotated[str, typer.Argument(help="The host: its name, its id or its ARN.")],
    cluster: Annotated[str, typer.Option(help="The cluster that the host is in.")] = "default",
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Have a host change its key, now or when it is back; nothing that runs is touched."""
    request = RequestHostKeyRotationRequest(cluster=cluster, host=host)
    client = find(data, endpoint, key="root").client()
    try:
        answer = client.call(
            "moorage",
            OWN_TARGET,
            "RequestHostKeyRotation",
            request,
            RequestHostKeyRotationResponse,
        )
    except Fault as fault:
        fail(str(fault))
    when = "now" if answer.connected else "when it is back: it is not connected"
    typer.echo(f"{host} changes its key {when}.")
