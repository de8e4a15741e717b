"""The house of identities: who is calling, new accounts, hosts that join, the one door."""

import pytest

from moorage.ground.fault import AccessDenied, Validation
from moorage.ground.instant import hours
from moorage.ground.principal import Principal
from moorage.ground.record import evolve
from moorage.iam import api
from moorage.iam.authorize import authorize
from moorage.iam.operations.account import create_account
from moorage.iam.operations.caller_identity import get_caller_identity
from moorage.iam.operations.join import create_join_token
from moorage.iam.store import access_keys, join_tokens
from moorage.iam.store.join_tokens import JOIN_TOKENS
from moorage.kernel.call import Call
from moorage.kernel.operation import HOSTS, operation
from moorage.shapes.moorage.account import CreateAccountRequest
from moorage.shapes.moorage.host import CreateJoinTokenRequest
from moorage.shapes.sts.caller_identity import GetCallerIdentityRequest, GetCallerIdentityResponse
from tests.house import ACCOUNT, OTHER, House, host, root

OPERATOR = Principal(kind="operator", account=ACCOUNT)
NOBODY = Principal(kind="anonymous", account="")
INSTANCE = f"arn:aws:ecs:us-east-1:{ACCOUNT}:container-instance/default/{'a' * 32}"


@pytest.fixture
def house():
    made = House(api.TABLES)
    yield made
    made.close()


def test_get_caller_identity_tells_who_signed(house):
    told = house.run(get_caller_identity, GetCallerIdentityRequest(), authorize)
    assert (told.account, told.arn) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
    told = house.run(
        get_caller_identity, GetCallerIdentityRequest(), authorize, principal=host(INSTANCE)
    )
    assert told.arn.endswith("assumed-role/moorage-host/host-1")


def test_only_the_operator_makes_accounts(house):
    made = house.run(
        create_account, CreateAccountRequest(name="lab"), authorize, principal=OPERATOR
    )
    assert len(made.account_id) == 12
    key = house.read(lambda call: access_keys.get(call.tx, made.access_key_id))
    assert (key.kind, key.account) == ("root", made.account_id)
    assert made.secret_access_key not in str(key)
    assert house.vault.reveal(key.sealed_secret) == made.secret_access_key
    with pytest.raises(AccessDenied, match="CreateAccount"):
        house.run(create_account, CreateAccountRequest(name="lab"), authorize, principal=root())


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"cluster": "no/name"}, "no name of a cluster"),
        ({"uses": 0}, "uses"),
        ({"uses": 10_001}, "uses"),
        ({"ttl_seconds": 0}, "ttlSeconds"),
    ],
)
def test_a_bad_join_token_is_refused_by_name(house, members, said):
    with pytest.raises(Validation, match=said):
        house.run(create_join_token, CreateJoinTokenRequest(**members), authorize)


def test_an_account_has_a_bounded_number_of_good_join_tokens(house):
    ask = lambda account=ACCOUNT: house.run(
        create_join_token, CreateJoinTokenRequest(), authorize, principal=root(account)
    )
    first = join_tokens.hash_of(ask().token)

    def fill(call):
        known = JOIN_TOKENS.get(call.tx, first)
        for number in range(1, join_tokens.OF_ACCOUNT_MAX):
            JOIN_TOKENS.put(call.tx, evolve(known, hash=str(number)))

    house.write(fill)
    with pytest.raises(Validation, match="--uses"):
        ask()
    assert ask(OTHER).token
    house.write(lambda call: join_tokens.spend(call.tx, first))
    assert ask().token, "what is used up makes way"
    with pytest.raises(Validation, match="expired"):
        ask()
    house.clock.advance(hours(2))
    assert ask().token


@operation(callers=HOSTS, resource=lambda *_: [RESOURCES[-1]])
def report_something(call: Call, request: GetCallerIdentityRequest) -> GetCallerIdentityResponse:
    """Stand in for what agents call."""
    return GetCallerIdentityResponse()


RESOURCES = [INSTANCE]


@pytest.mark.parametrize(
    ("principal", "resource", "allowed"),
    [
        (host(INSTANCE), INSTANCE, True),
        (host(INSTANCE), INSTANCE.replace("a" * 32, "b" * 32), False),
        (host(""), INSTANCE, False),
        (host(INSTANCE, account=OTHER), INSTANCE, False),
        (root(), INSTANCE, False),
        (NOBODY, INSTANCE, False),
    ],
)
def test_a_host_speaks_for_its_own_instance_only(house, principal, resource, allowed):
    RESOURCES[:] = [resource]
    request = GetCallerIdentityRequest()
    if allowed:
        house.run(report_something, request, authorize, principal=principal)
    else:
        with pytest.raises(AccessDenied):
            house.run(report_something, request, authorize, principal=principal)
