"""What the operator decides about one host: the agent's options, checked before anything is done."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from moorage.ground.names import ATTRIBUTE_NAME, ATTRIBUTE_VALUE, RESOURCE_NAME
from moorage.ground.record import Record

DOCKER_SOCKET = "/var/run/docker.sock"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - Docker's own default for published ports
# Where a join token is handed over so that no other user of the machine reads it in the process list.
TOKEN_VARIABLE = "MOORAGE_JOIN_TOKEN"  # noqa: S105 - the name of it
# A GPU's UUID, or its number on this machine.
GPU = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,127}", re.ASCII)
ATTRIBUTES_MAX = 10  # custom attributes of a resource (ECS service quotas)


class OptionsRefused(Exception):  # noqa: N818 - shown to the operator as it is
    """The agent cannot run like this; the message says what to change. Trying again is no use."""


class AgentOptions(Record):
    """One host.

    `endpoint` is the server's URL; `token` is needed the first time only. `data` is this host's
    own folder. `cpu` (units, 1024 a core) and `memory_mebibytes` are offered instead of the whole
    machine. `run_folder` is shared by all agents that use the same engine, so that they bound
    their starts together; default: a folder that depends on the engine alone. `shared_engine` says
    that other agents have hosts on this engine: then no task runs in the host's own network.
    `authority` is a file of the certificates to believe over https. `certs_d` is where the engine
    looks for those that `docker login` believes; `no_certs_d` writes none. `new_host` joins without
    a look at whose containers run here. `gpus` are the ids of the GPUs that tasks may have, as
    `nvidia-smi -L` names them.
    """

    endpoint: str
    data: Path
    token: str = ""
    name: str = ""
    docker_socket: str = DOCKER_SOCKET
    zone: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    publish_address: str = EVERYWHERE
    cpu: int | None = None
    memory_mebibytes: int | None = None
    run_folder: Path | None = None
    starts_at_once: int | None = None
    shared_engine: bool = False
    authority: Path | None = None
    certs_d: Path | None = None
    no_certs_d: bool = False
    new_host: bool = False
    gpus: tuple[str, ...] = ()


def check(options: AgentOptions) -> None:
    """Raise OptionsRefused for the first option that cannot be used."""
    parts = urlsplit(options.endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise OptionsRefused(f"--endpoint {options.endpoint}: give an http:// or https:// URL.")
    if options.authority is not None and parts.scheme != "https":
        raise OptionsRefused(f"--ca {options.authority}: {options.endpoint} has no certificate.")
    if options.name and RESOURCE_NAME.fullmatch(options.name) is None:
        raise OptionsRefused(f"--name {options.name}: use letters, digits, _ and - only.")
    if len(options.attributes) > ATTRIBUTES_MAX:
        raise OptionsRefused(f"--attribute: at most {ATTRIBUTES_MAX} can be given.")
    for name, value in options.attributes:
        if ATTRIBUTE_NAME.fullmatch(name) is None or name.startswith("ecs."):
            raise OptionsRefused(f"--attribute {name}: this name cannot be used.")
        if value and ATTRIBUTE_VALUE.fullmatch(value) is None:
            raise OptionsRefused(f"--attribute {name}={value}: this value cannot be used.")
    for gpu in options.gpus:
        if GPU.fullmatch(gpu) is None:
            raise OptionsRefused(f"--gpu {gpu}: give an id as nvidia-smi -L shows it.")
        if options.gpus.count(gpu) > 1:
            raise OptionsRefused(f"--gpu {gpu}: this id is given twice.")
    for flag, count in (("--cpu", options.cpu), ("--memory", options.memory_mebibytes)):
        if count is not None and count < 1:
            raise OptionsRefused(f"{flag} {count}: give a number above 0.")
