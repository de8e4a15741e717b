"""Who is calling, as GetCallerIdentity shows it."""

import pytest

from moorage.ground.principal import Principal


@pytest.mark.parametrize(
    ("principal", "arn"),
    [
        (Principal(kind="root", account="000000000001"), "arn:aws:iam::000000000001:root"),
        (Principal(kind="operator", account="000000000000"), "arn:aws:iam::000000000000:root"),
        (
            Principal(kind="host", account="000000000001", name="host-1"),
            "arn:aws:sts::000000000001:assumed-role/moorage-host/host-1",
        ),
    ],
)
def test_a_principal_has_an_arn(principal, arn):
    assert principal.arn == arn
