"""The certificate that a server shows, as its clients meet it."""

import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from moorage.iam.rules.certificate import Facts, facts
from moorage.wire.trust import SYSTEM, BundleRefused, client_context, distrust

HANDSHAKE_SECONDS_MAX = 5.0
HTTPS_PORT = 443


class NotShown(Exception):  # noqa: N818 - shown to a person as it is
    """No certificate was shown that is trusted; the message says why, `away` that nobody answered."""

    def __init__(self, message: str, *, away: bool = False) -> None:
        """Keep the sentence."""
        super().__init__(message)
        self.away = away


def shown_by(endpoint: str, authorities: str) -> Facts:
    """What the certificate of a server says, verified as clients do; raises NotShown.

    `authorities` is the file of those who are trusted, "" for the system's.
    """
    parts = urlsplit(endpoint)
    name = parts.hostname or ""
    try:
        context = client_context(Path(authorities).read_text("ascii") if authorities else None)
        address = (name, parts.port or HTTPS_PORT)
        with (
            socket.create_connection(address, HANDSHAKE_SECONDS_MAX) as plain,
            context.wrap_socket(plain, server_hostname=name) as verified,
        ):
            shown = verified.getpeercert(binary_form=True)
    except ssl.SSLError as error:
        raise NotShown(distrust(endpoint, error, authorities or SYSTEM)) from error
    except BundleRefused as error:
        raise NotShown(f"{authorities}: {error}") from error
    except OSError as error:
        raise NotShown(f"{endpoint} does not answer: {error}", away=True) from error
    assert shown is not None, "a verified server has a certificate"
    return facts(ssl.DER_cert_to_PEM_cert(shown))
