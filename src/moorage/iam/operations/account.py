"""Moorage_V1 CreateAccount: a new tenant, and the key of its root."""

from moorage.ground.fault import Validation
from moorage.iam.keys import Holder, issue, new_account_id
from moorage.iam.records.account import Account
from moorage.iam.store import accounts
from moorage.kernel.call import Call
from moorage.kernel.operation import OPERATOR, operation
from moorage.shapes.moorage.account import CreateAccountRequest, CreateAccountResponse

NAME_LENGTH_MAX = 64
TRIES_MAX = 10


@operation(callers=OPERATOR)
def create_account(call: Call, request: CreateAccountRequest) -> CreateAccountResponse:
    """Make an account and its root's access key; the secret is shown this once."""
    name = request.name or "account"
    if len(name) > NAME_LENGTH_MAX or not name.isprintable():
        raise Validation(f"name must be printable and at most {NAME_LENGTH_MAX} characters long.")
    account = _made(call, name)
    key, secret = issue(
        call.tx, call.vault, Holder(account=account.id, kind="root", name=name, region=call.region)
    )
    return CreateAccountResponse(
        account_id=account.id, access_key_id=key.id, secret_access_key=secret, name=name
    )


def _made(call: Call, name: str) -> Account:
    for _ in range(TRIES_MAX):
        account = Account(id=new_account_id(call.chance), name=name, created_at=call.now)
        if accounts.create(call.tx, account):
            return account
    raise AssertionError("twelve random digits were taken ten times in a row")
