"""PutAccountSetting, PutAccountSettingDefault, ListAccountSettings, DeleteAccountSetting."""

import msgspec
import pytest

from moorage.ecs.controllers.assignments import outgoing
from moorage.ecs.records.account_setting import AccountSetting
from moorage.ecs.records.container_instance import InstanceAttribute
from moorage.ecs.rules.account_settings import SETTINGS_MAX, SWITCHES
from moorage.ecs.store import account_settings, container_instances
from moorage.ground.record import evolve
from tests.builders import ACCOUNT, OTHER, REGION, a_definition, a_host, a_task, root

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
JANE = f"arn:aws:iam::{ACCOUNT}:user/jane"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/ci/deployer"


def values(house, **members):
    """Name and value of what is listed, all pages."""
    page = house.ask("ListAccountSettings", **members)
    found = page["settings"]
    while page.get("nextToken"):
        page = house.ask("ListAccountSettings", nextToken=page["nextToken"], **members)
        found += page["settings"]
    return {one["name"]: (one["value"], one["principalArn"]) for one in found}


def test_what_is_set_for_the_root_holds_for_all_who_have_nothing_of_their_own(house):
    put = house.ask("PutAccountSettingDefault", name="containerInsights", value="enabled")
    assert put["setting"] == {
        "name": "containerInsights",
        "value": "enabled",
        "principalArn": ROOT,
        "type": "user",
    }
    assert values(house) == {"containerInsights": ("enabled", ROOT)}
    assert values(house, principalArn=JANE) == {}
    effective = values(house, principalArn=JANE, effectiveSettings=True)
    assert effective["containerInsights"] == ("enabled", ROOT)
    own = house.ask(
        "PutAccountSetting", name="containerInsights", value="enhanced", principalArn=JANE
    )
    assert own["setting"]["principalArn"] == JANE
    effective = values(house, principalArn=JANE, effectiveSettings=True)
    assert effective["containerInsights"] == ("enhanced", JANE)
    assert values(house, effectiveSettings=True)["containerInsights"] == ("enabled", ROOT)
    gone = house.ask("DeleteAccountSetting", name="containerInsights", principalArn=JANE)
    assert gone["setting"] == {
        "name": "containerInsights",
        "value": "enabled",
        "principalArn": JANE,
        "type": "user",
    }
    assert values(house, principalArn=JANE) == {}
    gone = house.ask("DeleteAccountSetting", name="containerInsights")
    assert gone["setting"]["value"] == "disabled"
    assert house.ask("DeleteAccountSetting", name="containerInsights") == gone


def test_nobody_names_a_principal_and_it_is_the_caller(house):
    house.ask("PutAccountSetting", name="awsvpcTrunking", value="enabled")
    assert values(house, principalArn=ROOT) == {"awsvpcTrunking": ("enabled", ROOT)}
    house.ask("PutAccountSetting", name="awsvpcTrunking", value="disabled", principalArn=DEPLOYER)
    assert values(house, principalArn=DEPLOYER) == {"awsvpcTrunking": ("disabled", DEPLOYER)}


def test_accounts_and_regions_are_apart(house):
    house.ask("PutAccountSetting", name="awsvpcTrunking", value="enabled")
    assert values(house, in_region="eu-west-1") == {}
    assert values(house, by=root(OTHER)) == {}
    other = values(house, by=root(OTHER), effectiveSettings=True)
    assert other["awsvpcTrunking"] == ("disabled", f"arn:aws:iam::{OTHER}:root")


def test_all_names_are_effective_in_pages_of_ten_by_name(house):
    first = house.ask("ListAccountSettings", effectiveSettings=True)
    names = [one["name"] for one in first["settings"]]
    assert len(names) == 10
    rest = house.ask("ListAccountSettings", effectiveSettings=True, nextToken=first["nextToken"])
    names += [one["name"] for one in rest["settings"]]
    assert names == sorted(SWITCHES)
    assert "nextToken" not in rest or rest["nextToken"] is None
    found = values(house, effectiveSettings=True, maxResults=3)
    assert {name: value for name, (value, _) in found.items()} == {
        "awsvpcTrunking": "disabled",
        "containerInsights": "disabled",
        "containerInstanceLongArnFormat": "enabled",
        "defaultLogDriverMode": "non-blocking",
        "fargateEventWindows": "disabled",
        "fargateFIPSMode": "disabled",
        "fargateTaskRetirementWaitPeriod": "7",
        "guardDutyActivate": "off",
        "serviceLongArnFormat": "enabled",
        "tagResourceAuthorization": "on",
        "taskLongArnFormat": "enabled",
    }
    (managed,) = house.ask("ListAccountSettings", name="guardDutyActivate", effectiveSettings=True)[
        "settings"
    ]
    assert managed["type"] == "aws_managed"


def test_a_list_is_filtered_by_name_and_value(house):
    house.ask("PutAccountSetting", name="fargateFIPSMode", value="enabled")
    house.ask("PutAccountSetting", name="awsvpcTrunking", value="enabled")
    assert list(values(house, name="fargateFIPSMode")) == ["fargateFIPSMode"]
    assert list(values(house, name="fargateFIPSMode", value="enabled")) == ["fargateFIPSMode"]
    assert values(house, name="fargateFIPSMode", value="disabled") == {}
    assert values(house, name="containerInsights") == {}
    held = values(house, name="containerInsights", value="disabled", effectiveSettings=True)
    assert held == {"containerInsights": ("disabled", ROOT)}


@pytest.mark.parametrize(
    ("name", "taken", "refused"),
    [
        ("awsvpcTrunking", ("enabled", "disabled"), ("on", "", "ENABLED")),
        ("containerInsights", ("enabled", "disabled", "enhanced"), ("on",)),
        ("containerInstanceLongArnFormat", ("enabled",), ("disabled", "on")),
        ("defaultLogDriverMode", ("blocking", "non-blocking"), ("enabled",)),
        ("fargateEventWindows", ("enabled", "disabled"), ("on",)),
        ("fargateFIPSMode", ("enabled", "disabled"), ("on",)),
        ("fargateTaskRetirementWaitPeriod", ("0", "7", "14"), ("1", "enabled", "-1")),
        ("guardDutyActivate", (), ("on", "off", "enabled")),
        ("serviceLongArnFormat", ("enabled",), ("disabled",)),
        ("tagResourceAuthorization", ("on", "off"), ("enabled",)),
        ("taskLongArnFormat", ("enabled",), ("disabled",)),
    ],
)
def test_values(house, name, taken, refused):
    for value in taken:
        for action in ("PutAccountSetting", "PutAccountSettingDefault"):
            put = house.ask(action, name=name, value=value)["setting"]
            assert (put["name"], put["value"]) == (name, value)
    before = values(house)
    for value in refused:
        for action in ("PutAccountSetting", "PutAccountSettingDefault"):
            house.refused(action, "InvalidParameterException", name=name, value=value)
    assert values(house) == before


def test_the_sentences_that_tools_look_for(house):
    long_arns = {"name": "taskLongArnFormat", "value": "disabled"}
    said = house.refused("PutAccountSettingDefault", "InvalidParameterException", **long_arns)
    assert said == "You can no longer disable Long Arn settings"
    wrong = {"name": "tagResourceAuthorization", "value": "enabled"}
    said = house.refused("PutAccountSetting", "InvalidParameterException", **wrong)
    assert said.startswith("Invalid setting 'value'")


@pytest.mark.parametrize(
    ("action", "members"),
    [
        ("PutAccountSetting", {"name": "dualStackIPv6", "value": "enabled"}),
        ("PutAccountSetting", {"name": "awsvpcTrunking"}),
        ("PutAccountSetting", {"value": "enabled"}),
        ("PutAccountSettingDefault", {"name": "awsvpcTrunking"}),
        ("DeleteAccountSetting", {}),
        ("DeleteAccountSetting", {"name": "other"}),
        ("ListAccountSettings", {"name": "other"}),
        ("ListAccountSettings", {"value": "enabled"}),
        ("ListAccountSettings", {"maxResults": 0}),
        ("ListAccountSettings", {"maxResults": 11}),
        ("ListAccountSettings", {"nextToken": "x"}),
        (
            "PutAccountSetting",
            {"name": "fargateTaskRetirementWaitPeriod", "value": "0", "principalArn": JANE},
        ),
        *(
            ("PutAccountSetting", {"name": "awsvpcTrunking", "value": "enabled", **who})
            for who in (
                {"principalArn": "jane"},
                {"principalArn": f"arn:aws:iam::{OTHER}:user/jane"},
                {"principalArn": f"arn:aws:iam::{ACCOUNT}:group/all"},
                {"principalArn": f"arn:aws:iam::{ACCOUNT}:user/"},
                {"principalArn": f"arn:aws:iam:us-east-1:{ACCOUNT}:user/jane"},
                {"principalArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/session"},
            )
        ),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(house, action, members):
    house.refused(action, "InvalidParameterException", **members)
    assert values(house) == {}


def test_new_clusters_get_the_insights_that_the_account_has_set(house):
    def insights(name, **members):
        made = house.ask("CreateCluster", clusterName=name, **members)["cluster"]
        return made["settings"]

    named = [{"name": "containerInsights", "value": "disabled"}]
    assert insights("before") == named
    house.ask("PutAccountSettingDefault", name="containerInsights", value="enhanced")
    assert insights("after") == [{"name": "containerInsights", "value": "enhanced"}]
    assert insights("told", settings=named) == named
    assert insights("before") == named
    assert insights("after") == [{"name": "containerInsights", "value": "enhanced"}]
    house.ask("PutAccountSetting", name="containerInsights", value="disabled")
    assert insights("again") == named


def offers_json_file(call, instance):
    """Give a host the attribute by which agents say that Docker has this log driver."""
    found = container_instances.get(call.tx, instance)
    able = InstanceAttribute(name="com.amazonaws.ecs.capability.logging-driver.json-file")
    container_instances.note(call.tx, evolve(found, attributes=(*found.attributes, able)))


def logs_told(house, key, mode, options):
    """The options of the log driver that a host is told for a new task."""
    if mode:
        house.ask("PutAccountSettingDefault", name="defaultLogDriverMode", value=mode)
    logs = {"logDriver": "json-file", "options": options}
    definition = a_definition(house, container={"logConfiguration": logs})
    task = a_task(house, taskDefinition=definition)
    sent = house.write(lambda call: outgoing(call, key.instance, on_connect=False))
    (told,) = [
        container
        for message in sent.payloads
        for one in message.tasks
        if one.arn == task["taskArn"]
        for container in one.containers
    ]
    found = msgspec.json.decode(told.docker_config.host_config)["LogConfig"]["Config"]
    return {name: found[name] for name in ("mode", "max-buffer-size") if name in found}


@pytest.mark.parametrize(
    ("mode", "options", "expected"),
    [
        (None, {}, {"mode": "non-blocking", "max-buffer-size": "10m"}),
        ("blocking", {}, {}),
        ("non-blocking", {"max-buffer-size": "1m"}, {"mode": "non-blocking", "max-buffer-size": "1m"}),
        ("non-blocking", {"mode": "blocking"}, {"mode": "blocking"}),
        ("blocking", {"mode": "non-blocking"}, {"mode": "non-blocking", "max-buffer-size": "10m"}),
    ],
)  # fmt: skip
def test_hosts_are_told_the_accounts_mode_of_log_drivers(house, mode, options, expected):
    key = a_host(house)
    house.write(lambda call: offers_json_file(call, key.instance))
    assert logs_told(house, key, mode, options) == expected


def test_users_and_roles_of_an_account_have_so_many_settings_and_no_more(house):
    """Nobody says which users there are: a loop over names ends all the same."""

    def fill(call):
        for number in range(SETTINGS_MAX):
            account_settings.put(
                call.tx,
                AccountSetting(
                    account=ACCOUNT,
                    region=REGION,
                    principal=f"arn:aws:iam::{ACCOUNT}:user/u{number}",
                    name="awsvpcTrunking",
                    value="enabled",
                ),
            )

    house.write(fill)
    wish = {"name": "containerInsights", "value": "enabled"}
    said = house.refused("PutAccountSetting", "ClientException", principalArn=JANE, **wish)
    assert f"have {SETTINGS_MAX} settings of their own in {REGION}" in said
    first = f"arn:aws:iam::{ACCOUNT}:user/u0"
    changed = {"name": "awsvpcTrunking", "value": "disabled", "principalArn": first}
    assert house.ask("PutAccountSetting", **changed)["setting"]["value"] == "disabled"
    assert house.ask("PutAccountSetting", **wish)["setting"]["principalArn"] == ROOT
    assert house.ask("PutAccountSetting", by=root(OTHER), **wish)
    house.ask("DeleteAccountSetting", name="awsvpcTrunking", principalArn=first)
    house.ask("DeleteAccountSetting", name="containerInsights")
    assert (
        house.ask("PutAccountSetting", principalArn=JANE, **wish)["setting"]["value"] == "enabled"
    )
