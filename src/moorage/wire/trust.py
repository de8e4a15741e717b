"""Whom a client believes: the TLS context of every call, and what to say where belief is refused.

Verification cannot be switched off. A bundle of authorities stands in for the system's; a client
that has none believes whom the system believes.
"""

import ssl

from moorage.ground.certificate import certificates_in

SYSTEM = "the authorities of this system"
PROTOCOLS = ("http/1.1",)
# Verification errors of OpenSSL (x509_vfy.h) to what a person can do about them.
ADVICE = {
    9: "It is not valid yet: compare the clocks of both machines.",
    10: "It has expired: the server renews its own while it runs; one that was given to it with "
    "--certificate has to be replaced (and the server sent SIGHUP). Compare the clocks, too.",
    18: "Trust its authority: the server tells it under /moorage/ca.pem.",
    19: "Trust its authority: the server tells it under /moorage/ca.pem.",
    20: "Trust its authority: the server tells it under /moorage/ca.pem.",
    21: "Trust its authority: the server tells it under /moorage/ca.pem.",
    62: "Use a name that the certificate has, or start the server with --public-name NAME.",
    64: "Use an address that the certificate has, or start the server with --public-name ADDRESS.",
}


class BundleRefused(Exception):  # noqa: N818 - shown to a person as it is
    """A text that should hold certificates of authorities holds none that can be read."""


def client_context(bundle: str | None = None) -> ssl.SSLContext:
    """How a client connects: TLS 1.2 or newer, certificate and name verified.

    `bundle` is PEM: those authorities, and no others, are believed; None: the system's. Raises
    BundleRefused.
    """
    if bundle is None:
        context = ssl.create_default_context()
    else:
        try:
            context = ssl.create_default_context(cadata="".join(certificates_in(bundle)))
        except (ValueError, ssl.SSLError) as error:
            raise BundleRefused(f"This is no bundle of certificates in PEM: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(list(PROTOCOLS))
    return context


def distrust(endpoint: str, error: ssl.SSLError | ssl.CertificateError, trusted: str) -> str:
    """Why no connection to `endpoint` came about, and what to do; `trusted` says who is believed."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"There is no TLS with {endpoint}: {error.reason or error}. If it is a server without "
            "certificates, its URL begins with http://."
        )
    told = error.verify_message.rstrip(".")
    advice = ADVICE.get(error.verify_code, "")
    return f"The certificate of {endpoint} is not trusted by {trusted}: {told}. {advice}".rstrip()
