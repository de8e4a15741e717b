"""Accounts: only the operator makes them, and sees the secret once."""

from moorage.ground.record import Record


class CreateAccountRequest(Record, rename="camel"):
    """A new account; `name` is for people, and may be left out."""

    name: str | None = None


class CreateAccountResponse(Record, rename="camel"):
    """The account with the access key of its root; the secret is shown this one time."""

    account_id: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None
    name: str | None = None
