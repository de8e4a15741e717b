"""Which account settings there are, and which holds for whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.records.account_setting import AccountSetting
from moorage.ecs.rules.account_settings import (
    SWITCHES,
    effective,
    refuse_principal,
    refuse_value,
    root_of,
)
from moorage.shapes.ecs.account_setting import PutAccountSettingRequest
from moorage.shapes.ecs.constraints import CONSTRAINTS
from tests.house import ACCOUNT, OTHER

ROOT = root_of(ACCOUNT)
JANE = f"arn:aws:iam::{ACCOUNT}:user/jane"
JOE = f"arn:aws:iam::{ACCOUNT}:role/team/joe"


def test_the_names_are_those_of_the_model():
    (name,) = [one for one in CONSTRAINTS[PutAccountSettingRequest] if one.member == "name"]
    assert set(name.enum) == set(SWITCHES)


def test_a_default_is_among_the_values_that_can_be_put():
    for name, switch in SWITCHES.items():
        assert not switch.values or switch.default in switch.values
        assert not switch.values or refuse_value(name, switch.default) is None


put = st.builds(
    lambda who, name: (who, name), st.sampled_from([ROOT, JANE, JOE]), st.sampled_from([*SWITCHES])
)


@given(st.lists(put, unique=True, max_size=12))
def test_ones_own_goes_before_the_roots_and_that_before_the_default(puts):
    rows = [
        AccountSetting(account=ACCOUNT, region="", principal=who, name=name, value=f"{who} {name}")
        for who, name in puts
    ]
    for who in (ROOT, JANE):
        found = {one.name: (one.principal, one.value) for one in effective(ACCOUNT, who, rows)}
        assert set(found) == set(SWITCHES)
        for name, (principal, value) in found.items():
            asked = [one for one in (who, ROOT) if (one, name) in puts]
            expected = (asked[0], f"{asked[0]} {name}") if asked else (ROOT, SWITCHES[name].default)
            assert (principal, value) == expected


@pytest.mark.parametrize(
    ("arn", "sound"),
    [
        (ROOT, True),
        (JANE, True),
        (JOE, True),
        ("", False),
        ("root", False),
        ("arn:aws:iam", False),
        (f"arn:aws:iam::{ACCOUNT}:", False),
        (f"arn:aws:iam::{ACCOUNT}:user", False),
        (f"arn:aws:iam::{ACCOUNT}:role/", False),
        (f"arn:aws:iam::{ACCOUNT}:root/x", False),
        (f"arn:aws:iam::{ACCOUNT}:user/team/of/jane.doe@example", True),
        (f"arn:aws:iam::{ACCOUNT}:user/{'x' * 64}", True),
        (f"arn:aws:iam::{ACCOUNT}:user/{'x' * 65}", False),
        (f"arn:aws:iam::{ACCOUNT}:user/jane\0", False),
        (f"arn:aws:iam::{ACCOUNT}:user/te am/jane", False),
        (f"arn:aws:iam::{ACCOUNT}:user/jane\n", False),
        (f"arn:aws:iam::{ACCOUNT}:user/{'/' * 20_000}", False),
        (f"arn:aws:ecs::{ACCOUNT}:user/jane", False),
        (f"arn:aws:iam:us-east-1:{ACCOUNT}:user/jane", False),
        (root_of(OTHER), False),
    ],
)
def test_who_may_have_settings(arn, sound):
    assert (refuse_principal(ACCOUNT, arn) is None) == sound
