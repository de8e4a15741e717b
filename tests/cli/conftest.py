"""A data folder as a running server leaves it, for commands that look for one."""

from pathlib import Path

import pytest

from moorage.gateway import folder
from moorage.gateway.folder import Credentials
from tests.certificates import Office

ADDRESS = "http://127.0.0.1:4750"
ROOT = Credentials(
    account_id="123456789012",
    access_key_id="AKIAROOT",
    secret_access_key="root/secret+key",
    region="us-east-1",
)
OPERATOR = Credentials(
    account_id="123456789012",
    access_key_id="AKIAOPERATOR",
    secret_access_key="operator-secret",
    region="us-east-1",
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A data folder with an address and both keys; nothing listens there."""
    data = tmp_path / "data"
    folder.prepare(data)
    folder.keep_credentials(data, "root", ROOT)
    folder.keep_credentials(data, "operator", OPERATOR)
    (data / "run" / "address").write_text(f"{ADDRESS}\n")
    return data


@pytest.fixture
def secure_place(place: Path) -> Path:
    """The same of a server that speaks TLS by an authority of its own."""
    (place / "run" / "address").write_text("https://127.0.0.1:4750\n")
    (place / "keys" / "ca.pem").write_text(Office(1).authority.certificate)
    return place
