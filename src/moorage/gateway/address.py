"""Where the server listens, under which names it is known, and whether it speaks TLS there.

All of it follows from the settings; a combination that cannot be meant is refused with advice.
"""

import socket
from collections.abc import Callable

from moorage.gateway.settings import Settings
from moorage.iam.rules.certificate import is_name

# So many wait to be taken in, a few at a time (`greeting.py`); whoever finds no place comes again
# within a second, by the kernel's own retransmission.
BACKLOG = 512
PORT_MAX = 65_535
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
EVERY_ADDRESS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - what is refused without a name


class ListenRefused(Exception):  # noqa: N818 - shown to the operator as it is
    """The address cannot be listened on; the message says why."""


def is_loopback(address: str) -> bool:
    """Whether a listening address stays on this machine."""
    return address in {"localhost", "::1"} or address.startswith("127.")


def parted(text: str) -> tuple[str, str]:
    """The host and the port of a text such as `registry.lab:4750`; the port is "" where none is.

    An IPv6 address stands in brackets where a port follows, and need not otherwise.
    """
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return host, port.removeprefix(":")
    if text.count(":") > 1:
        return text, ""
    host, _, port = text.partition(":")
    return host, port


def joined(host: str, port: str) -> str:
    """`host:port`, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def speaks_tls(settings: Settings) -> bool:
    """Whether the port is TLS: where it was asked for, or where others can reach it."""
    if settings.tls or settings.certificate:
        return True
    return not settings.insecure and not is_loopback(parted(settings.listen)[0])


def public_names(settings: Settings) -> tuple[str, ...]:
    """The names (`host:port`) that answers show; the listening address where none was given."""
    port = parted(settings.listen)[1]
    pairs = map(parted, settings.public_names)
    return tuple(joined(host, own or port) for host, own in pairs) or (settings.listen,)


def certified_names(settings: Settings) -> tuple[str, ...]:
    """The names of the certificate that the server makes for itself, each once.

    Each public name and each address by which it is reached, and the same with the port as one
    literal name: Amazon's agent expects that on its websockets.
    """
    address, port = parted(settings.listen)
    pairs = [parted(name) for name in public_names(settings)]
    pairs += [(host, port) for host in (address, *LOOPBACK_NAMES)]
    hosts = [(host, own) for host, own in pairs if host not in EVERY_ADDRESS]
    names = [host for host, _ in hosts] + [joined(host, own) for host, own in hosts]
    return tuple(dict.fromkeys(names))


def local_url(settings: Settings) -> str:
    """The URL at which programs of this machine call the server.

    A certificate that was given carries the public names and, it may be, no others.
    """
    if not speaks_tls(settings):
        return f"http://{_reached(settings)}"
    return f"https://{public_names(settings)[0] if settings.certificate else _reached(settings)}"


def check(settings: Settings) -> None:
    """Return if these settings can be meant; raises ListenRefused."""
    for wrong, told in _REFUSALS:
        if wrong(settings):
            raise ListenRefused(told.format(settings=settings, port_max=PORT_MAX))


def listen(settings: Settings) -> socket.socket:
    """The listening socket; raises ListenRefused, and OSError where the port is taken."""
    check(settings)
    address, port = parted(settings.listen)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, int(port)))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    listening.set_inheritable(False)
    return listening


def _reached(settings: Settings) -> str:
    address, port = parted(settings.listen)
    here = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
    return joined(here.get(address, address), port)


def _no_port(settings: Settings) -> bool:
    port = parted(settings.listen)[1]
    return not (port.isascii() and port.isdigit() and 1 <= int(port) <= PORT_MAX)


def _contradicts(settings: Settings) -> bool:
    return settings.insecure and bool(settings.tls or settings.certificate)


def _half_given(settings: Settings) -> bool:
    return bool(settings.certificate) != bool(settings.key)


def _authority_alone(settings: Settings) -> bool:
    return bool(settings.authority) and not settings.certificate


def _nameless(settings: Settings) -> bool:
    return parted(settings.listen)[0] in EVERY_ADDRESS and not settings.public_names


def _misnamed(settings: Settings) -> bool:
    return not all(
        is_name(host) and (not port or (port.isdigit() and 1 <= int(port) <= PORT_MAX))
        for host, port in map(parted, settings.public_names)
    )


_ALONE = (
    "--authority names whom clients are to trust for the file of --certificate: without that, "
    "Moorage's own authority signs."
)
_NAMELESS = (
    "{settings.listen} is every address of this machine, and none that clients can call: say by "
    "which name or address they reach it, as in: --public-name registry.lab"
)
_MISNAMED = (
    "A public name is a host name or an address, with or without a port, in ASCII (an "
    "international name in its xn-- form): registry.lab, registry.lab:4750, 10.0.0.5, "
    "[2001:db8::5]:4750."
)
_REFUSALS: tuple[tuple[Callable[[Settings], bool], str], ...] = (
    (_no_port, "{settings.listen} is no ADDRESS:PORT with a port from 1 to {port_max}."),
    (
        _contradicts,
        "--insecure means no TLS, and --tls or --certificate means TLS: say one of them.",
    ),
    (_half_given, "--certificate and --key go together: give both files, or none."),
    (_authority_alone, _ALONE),
    (_nameless, _NAMELESS),
    (_misnamed, _MISNAMED),
)
