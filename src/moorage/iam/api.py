"""The tables of the house of identities: STS, and our own operations on accounts and hosts."""

from typing import Any

from moorage.ground.fault import Validation
from moorage.iam.operations import account, caller_identity, host_key, join
from moorage.iam.store.access_keys import ACCESS_KEYS
from moorage.iam.store.accounts import ACCOUNTS
from moorage.iam.store.join_tokens import JOIN_TOKENS
from moorage.iam.store.trusts import TRUSTS
from moorage.kernel.api import Api
from moorage.kernel.operation import Operation
from moorage.shapes.sts.constraints import CONSTRAINTS
from moorage.shapes.sts.operations import OPERATIONS
from moorage.sql.document import Table

STS = Api(
    service="sts",
    target="AWSSecurityTokenServiceV20110615",
    shapes=OPERATIONS,
    operations=[caller_identity.get_caller_identity],
    absent=["AssumeRole"],
    constraints=CONSTRAINTS,
    invalid=Validation,
)

OWN: tuple[Operation[Any, Any], ...] = (
    account.create_account,
    join.create_join_token,
    host_key.rotate_host_key,
)

TABLES: tuple[Table[Any], ...] = (ACCOUNTS, ACCESS_KEYS, JOIN_TOKENS, TRUSTS)
