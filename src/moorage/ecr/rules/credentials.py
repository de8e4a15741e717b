"""Login tokens: how `docker login` shows them, and what is kept of them.

ECR GetAuthorizationToken: the token is base64 of `AWS:<password>`; the registry takes it as HTTP
Basic credentials (RFC 7617). Only the password's hash is kept.
"""

import base64
import hashlib

USER = "AWS"
CREDENTIALS_LENGTH_MAX = 8192


def encode_credentials(password: str) -> str:
    """What GetAuthorizationToken answers for a password."""
    return base64.b64encode(f"{USER}:{password}".encode()).decode("ascii")


def password_of(authorization: str) -> str | None:
    """The password of an Authorization header, or None where it holds no credentials of ours."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic" or len(encoded) > CREDENTIALS_LENGTH_MAX:
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except ValueError:
        return None
    user, colon, password = text.partition(":")
    return password if user == USER and colon and password else None


def password_hash(password: str) -> str:
    """What is kept of a password: it is random and long, so that one SHA-256 suffices."""
    return hashlib.sha256(password.encode()).hexdigest()
