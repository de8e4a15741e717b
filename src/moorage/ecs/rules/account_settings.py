"""Account settings: which there are, what each may be, and what holds where nobody has set it.

Names and values are those of PutAccountSetting in Amazon's model. The defaults are ECS's of today:
ARNs are long, tags on creation need leave, log drivers do not block.
"""

import re
from collections.abc import Iterable, Mapping

from moorage.ecs.records.account_setting import AccountSetting
from moorage.ecs.rules.refusal import Refusal, invalid
from moorage.ground.record import Record

CONTAINER_INSIGHTS = "containerInsights"
DEFAULT_LOG_DRIVER_MODE = "defaultLogDriverMode"
RETIREMENT_WAIT = "fargateTaskRetirementWaitPeriod"
USER = "user"
# Users and roles need not be known here, so that nothing else bounds how many have settings of
# their own in an account and region: rows, with IAM's quotas of users and roles in mind.
SETTINGS_MAX = 5000
AWS_MANAGED = "aws_managed"
_ON_OFF = ("enabled", "disabled")
# IAM: a path of printable ASCII, and a name of at most 64 letters, digits and _+=,.@-
_PRINCIPAL = re.compile(
    r"arn:aws:iam::([0-9]{12}):(?:root|(?:user|role)/(?:[!-~]{0,511}/)?[A-Za-z0-9_+=,.@-]{1,64})"
)


class Switch(Record):
    """One setting there is: `values` that may be put, the `default` one, and who manages it.

    `always` says that it can no longer be taken back from its default; `root_only` that no user or
    role has one of their own.
    """

    values: tuple[str, ...]
    default: str
    type: str = USER
    always: bool = False
    root_only: bool = False


_LONG_ARN = Switch(values=_ON_OFF, default="enabled", always=True)
SWITCHES: Mapping[str, Switch] = {
    "awsvpcTrunking": Switch(values=_ON_OFF, default="disabled"),
    CONTAINER_INSIGHTS: Switch(values=("enhanced", *_ON_OFF), default="disabled"),
    "containerInstanceLongArnFormat": _LONG_ARN,
    DEFAULT_LOG_DRIVER_MODE: Switch(values=("blocking", "non-blocking"), default="non-blocking"),
    "fargateEventWindows": Switch(values=_ON_OFF, default="disabled"),
    "fargateFIPSMode": Switch(values=_ON_OFF, default="disabled"),
    RETIREMENT_WAIT: Switch(values=("0", "7", "14"), default="7", root_only=True),
    "guardDutyActivate": Switch(values=(), default="off", type=AWS_MANAGED),
    "serviceLongArnFormat": _LONG_ARN,
    "tagResourceAuthorization": Switch(values=("on", "off"), default="on"),
    "taskLongArnFormat": _LONG_ARN,
}


def root_of(account: str) -> str:
    """The ARN of an account's root, whose settings are the account's defaults."""
    return f"arn:aws:iam::{account}:root"


def refuse_principal(account: str, arn: str) -> Refusal | None:
    """Why a principal cannot have settings: it is none, a session, or another account's."""
    found = _PRINCIPAL.fullmatch(arn)
    if found is None:
        return invalid(
            "Invalid principalArn: it is not the ARN of a user, of a role or of the root user."
        )
    if found[1] != account:
        return invalid(f"Identifier is for {found[1]}. Your accountId is {account}")
    return None


def refuse_name(name: str) -> Refusal | None:
    """Why there is no setting of that name, or None."""
    if name in SWITCHES:
        return None
    return invalid(f"{name} should be one of [{','.join(SWITCHES)}]")


def refuse_value(name: str, value: str) -> Refusal | None:
    """Why a setting cannot be put to `value`, or None."""
    unknown = refuse_name(name)
    if unknown is not None:
        return unknown
    switch = SWITCHES[name]
    if switch.type == AWS_MANAGED:
        return invalid(f"The setting {name} is read-only: it is managed by AWS.")
    if value not in switch.values:
        return invalid(
            f"Invalid setting 'value': {name} should be one of [{','.join(switch.values)}]"
        )
    if switch.always and value != switch.default:
        return invalid("You can no longer disable Long Arn settings")
    return None


def refuse_owner(name: str, account: str, principal: str) -> Refusal | None:
    """Why this principal can have no such setting of its own, or None."""
    if SWITCHES[name].root_only and principal != root_of(account):
        return invalid(f"The setting {name} can only be set for the root user.")
    return None


def refuse_more(kept: int, account: str, region: str) -> Refusal | None:
    """Why nobody but the root may have one setting more beside the `kept` ones, or None."""
    if kept < SETTINGS_MAX:
        return None
    return Refusal(
        message=f"The users and roles of the account {account} have {kept} settings of their own in "
        f"{region}, and no more are kept. Take some back with DeleteAccountSetting."
    )


def effective(
    account: str, principal: str, settings: Iterable[AccountSetting], region: str = ""
) -> list[AccountSetting]:
    """What holds for a principal, one for each name: its own, else the root's, else the default.

    `settings` are those of both. What nobody has set is shown as the root's.
    """
    root = root_of(account)
    found = {(one.principal, one.name): one for one in settings}
    return [
        found.get((principal, name))
        or found.get((root, name))
        or AccountSetting(
            account=account, region=region, principal=root, name=name, value=switch.default
        )
        for name, switch in sorted(SWITCHES.items())
    ]
