"""The table of account settings: kept by account, region, principal and name."""

from moorage.ecs.records.account_setting import AccountSetting
from moorage.ecs.rules.account_settings import SWITCHES, root_of
from moorage.ecs.store import account_settings
from tests.house import ACCOUNT, OTHER, REGION

JANE = f"arn:aws:iam::{ACCOUNT}:user/jane"
NAME = "awsvpcTrunking"


def setting(value, principal=JANE, name=NAME):
    return AccountSetting(
        account=ACCOUNT, region=REGION, principal=principal, name=name, value=value
    )


def of_jane(house, **members):
    return house.read(lambda call: account_settings.of_principal(call.tx, call, JANE), **members)


def holding(house, principal, **members):
    return house.read(
        lambda call: account_settings.value_of(call.tx, call, principal, NAME), **members
    )


def test_what_is_put_is_found_until_it_is_deleted(house):
    assert of_jane(house) == []
    for value in ("enabled", "disabled"):
        house.write(lambda call, value=value: account_settings.put(call.tx, setting(value)))
    house.write(lambda call: account_settings.put(call.tx, setting("7", name="other")))
    assert [(one.name, one.value) for one in of_jane(house)] == [(NAME, "disabled"), ("other", "7")]

    def delete(call):
        return account_settings.delete(call.tx, call, JANE, NAME)

    assert house.write(delete) is True
    assert house.write(delete) is False
    assert [one.name for one in of_jane(house)] == ["other"]


def test_a_principal_has_its_own_else_the_roots_else_the_default(house):
    root = root_of(ACCOUNT)
    assert holding(house, JANE) == holding(house, root) == "disabled"
    house.write(lambda call: account_settings.put(call.tx, setting("enabled", root)))
    assert holding(house, JANE) == holding(house, root) == "enabled"
    house.write(lambda call: account_settings.put(call.tx, setting("disabled")))
    assert (holding(house, JANE), holding(house, root)) == ("disabled", "enabled")
    every = house.read(lambda call: account_settings.effective_of(call.tx, call, JANE))
    assert [one.name for one in every] == sorted(SWITCHES)
    assert {(one.account, one.region) for one in every} == {(ACCOUNT, REGION)}


def test_accounts_and_regions_are_apart(house):
    house.write(lambda call: account_settings.put(call.tx, setting("enabled")))
    assert of_jane(house, region="eu-west-1") == []
    assert of_jane(house, account=OTHER) == []
