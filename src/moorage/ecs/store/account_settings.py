"""The table of account settings: what principals have set, by account and region."""

from moorage.ecs.records.account_setting import AccountSetting
from moorage.ecs.rules.account_settings import effective, root_of
from moorage.ecs.store.identity import Home
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

ACCOUNT_SETTINGS = Table(
    "account_settings", AccountSetting, keys=("account", "region", "principal", "name")
)
_OF_PRINCIPAL = ACCOUNT_SETTINGS.query("account", "region", "principal")
_OF_ACCOUNT = ACCOUNT_SETTINGS.query("account", "region")
_OF_PRINCIPALS = ACCOUNT_SETTINGS.query("account", "region", among="principal")


def of_principal(tx: Transaction, home: Home, principal: str) -> list[AccountSetting]:
    """What a principal (an ARN) has set itself, by name."""
    return _OF_PRINCIPAL.all(tx, account=home.account, region=home.region, principal=principal)


def effective_of(tx: Transaction, home: Home, principal: str) -> list[AccountSetting]:
    """What holds for a principal, one for each name there is, by name."""
    known = _OF_PRINCIPALS.all(
        tx,
        account=home.account,
        region=home.region,
        principal=sorted({principal, root_of(home.account)}),
    )
    return effective(home.account, principal, known, home.region)


def value_of(tx: Transaction, home: Home, principal: str, name: str) -> str:
    """What holds of one setting for a principal; asserts that there is one of that name."""
    asked = sorted({principal, root_of(home.account)})
    found = [ACCOUNT_SETTINGS.get(tx, home.account, home.region, who, name) for who in asked]
    known = [one for one in found if one is not None]
    holding = effective(home.account, principal, known, home.region)
    return next(one.value for one in holding if one.name == name)


def is_set(tx: Transaction, home: Home, principal: str, name: str) -> bool:
    """Whether a principal has set this itself."""
    known = ACCOUNT_SETTINGS.get(tx, home.account, home.region, principal, name)
    return known is not None


def count(tx: Transaction, home: Home) -> int:
    """How many settings all principals of an account have set in a region."""
    return _OF_ACCOUNT.count(tx, account=home.account, region=home.region)


def put(tx: Transaction, setting: AccountSetting) -> None:
    """Keep what a principal has set, in place of what it had set before."""
    ACCOUNT_SETTINGS.put(tx, setting)


def delete(tx: Transaction, home: Home, principal: str, name: str) -> bool:
    """Forget what a principal has set; False where it had set nothing."""
    return ACCOUNT_SETTINGS.delete(tx, home.account, home.region, principal, name)
