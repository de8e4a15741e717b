"""An account setting: one switch of one principal, in one account and region."""

from moorage.ground.record import Record


class AccountSetting(Record):
    """What one principal (an ARN) has set one name to.

    The root's settings hold for everybody in the account who has none of their own.
    """

    account: str
    region: str
    principal: str
    name: str
    value: str
