"""The server's TLS context: new for each certificate, so that none of the one before stays in it."""

import ssl
from pathlib import Path

from moorage.wire.trust import PROTOCOLS


def server_context(chain: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer, HTTP/1.1, no compression, no renegotiation, with this certificate.

    Raises OSError (ssl.SSLError among them) for files that cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(list(PROTOCOLS))
    context.load_cert_chain(chain, key, password=_no_password)
    return context


def _no_password() -> str:
    """Stand in for OpenSSL's prompt on the terminal, where nobody sits."""
    raise OSError("the key is sealed with a password, and nobody is here to type it")
