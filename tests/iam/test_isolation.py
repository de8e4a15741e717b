"""T09, T21, T22: who may reach what, over every operation that is built.

Each operation stands here with the requests that name a thing of the first account, by its ARN and
by its name. A stranger, the account's own hosts, a host of another account and nobody at all send
them: none is shown anything, nothing changes, and a stranger cannot even tell what there is.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from moorage.ecr import api as ecr
from moorage.ecs import api as ecs
from moorage.wire.canonical import Credentials
from tests.house import ACCOUNT, OTHER
from tests.iam.requests import ECR, ECS
from tests.iam.world import CANARY, GHOST, Names, World

TABLE = [("ecs", name) for name in ECS] + [("ecr", name) for name in ECR]
BUILT = {"ecs": ecs.ECS.operations, "ecr": ecr.ECR.operations}
# A stranger may make things of its own under any name, and list what is its own.
EMPTY = {"TagResource", "UntagResource", "GetTaskProtection", "UpdateTaskProtection"}
OWN = {"CreateCluster", "RegisterTaskDefinition", "CreateRepository"}


def requests(service: str, action: str, names: Names) -> list[dict[str, Any]]:
    return {"ecs": ECS, "ecr": ECR}[service][action](names)


def strings(value: Any) -> Iterator[str]:
    """Every text in an answer or a request."""
    if isinstance(value, dict):
        for member in value.values():
            yield from strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from strings(member)
    elif isinstance(value, str):
        yield value


def is_bare(body: dict[str, Any]) -> bool:
    """Whether an answer shows nothing but what was not found."""
    return not any(value for name, value in body.items() if name != "failures")


@pytest.fixture(scope="module")
def world():
    made = World()
    yield made
    made.close()


@pytest.fixture
def fresh():
    """A world of the test's own: what a stranger makes in its account is seen by no other test."""
    made = World()
    yield made
    made.close()


def test_every_operation_stands_here():
    assert set(ECS) == set(ecs.ECS.operations)
    assert set(ECR) == set(ecr.ECR.operations)


# What even the owner is refused in a world that is as it is.
OWNER_REFUSED = {
    "DeleteCluster": "ClusterContainsContainerInstancesException",
    "CreateRepository": "RepositoryAlreadyExistsException",
    "UpdateContainerAgent": "NoUpdateAvailableException",
    "ContinueServiceDeployment": "InvalidParameterException",  # it has not begun
}


@pytest.mark.parametrize(("service", "action"), TABLE)
def test_the_owner_reaches_what_these_requests_name(fresh, service, action):
    # Else the refusals below would prove nothing.
    if "root" not in BUILT[service][action].callers:
        return
    answers = [
        fresh.ask(fresh.owner, service, action, **members)
        for members in requests(service, action, fresh.names)
    ]
    assert any(
        one.code == OWNER_REFUSED.get(action, "")
        and (one.code or action in EMPTY or not is_bare(one.body))
        for one in answers
    ), answers[0].text


@pytest.mark.parametrize(("service", "action"), TABLE)
def test_a_stranger_reaches_nothing_and_cannot_tell_what_there_is(fresh, service, action):
    before = fresh.rows(ACCOUNT)
    real = requests(service, action, fresh.names)
    twin = requests(service, action, GHOST)
    for members, ghostly in zip(real, twin, strict=True):
        answer = fresh.ask(fresh.stranger, service, action, **members)
        assert answer.status in {200, 400}, answer.text
        assert CANARY not in answer.text
        if answer.status == 200:
            sent = set(strings(members))
            shown = {text for text in strings(answer.body) if ACCOUNT in text}
            assert shown <= sent, f"{action} shows {shown - sent}"
            names_another = any(ACCOUNT in text for text in sent)
            assert not names_another or (answer.body.get("failures") and is_bare(answer.body))
        if action not in OWN:
            other = fresh.ask(fresh.stranger, service, action, **ghostly)
            assert (answer.status, plain(answer.text, fresh.names)) == (
                other.status,
                plain(other.text, GHOST),
            )
    assert fresh.rows(ACCOUNT) == before


def plain(text: str, names: Names) -> str:
    """An answer with the names in it replaced by what they are names of."""
    fields = sorted(names.__struct_fields__, key=lambda one: -len(getattr(names, one)))
    for field in fields:
        text = text.replace(getattr(names, field), f"<{field}>")
    return text


@pytest.mark.parametrize("who", ["one", "two", "edge", "foreign"])
@pytest.mark.parametrize(("service", "action"), TABLE)
def test_no_host_does_what_people_do(world, service, action, who):
    if "host" in BUILT[service][action].callers:
        return
    before = world.rows()
    for members in requests(service, action, world.names):
        answer = world.ask(getattr(world, who), service, action, **members)
        assert (answer.status, answer.code) == (400, "AccessDeniedException")
        assert CANARY not in answer.text
    assert world.rows() == before


# Not so GetAuthorizationToken: for a host's own registry it is granted, for another's refused below.
OPEN = [
    (service, action)
    for service, action in TABLE
    if "host" in BUILT[service][action].callers and action != "GetAuthorizationToken"
]


@pytest.mark.parametrize("who", ["two", "edge", "foreign"])
@pytest.mark.parametrize(("service", "action"), OPEN)
def test_a_host_speaks_for_no_other(world, service, action, who):
    """T21, T22: another host of the cluster, of another cluster, of another account."""
    before = world.rows()
    for members in requests(service, action, world.names):
        answer = world.ask(getattr(world, who), service, action, **members)
        refusals = {"AccessDeniedException"}
        if who == "foreign" or (who == "edge" and action == "UpdateContainerInstancesState"):
            # What is not in its own account or cluster is not there.
            refusals |= {"InvalidParameterException", "ClusterNotFoundException"}
        assert answer.status == 400
        assert answer.code in refusals, answer.text
        assert CANARY not in answer.text
    assert world.rows() == before


def test_a_host_speaks_for_itself(world):
    # Else the refusals above would prove nothing.
    own = world.names.arn("container-instance")
    for members in (
        {"action": "DiscoverPollEndpoint", "containerInstance": own},
        {"action": "ListTagsForResource", "resourceArn": own},
        {"action": "ListTagsForResource", "resourceArn": world.names.arn("task")},
        {"action": "SubmitTaskStateChange", "task": world.names.task, "status": "PENDING"},
    ):
        action = members.pop("action")
        assert world.ask(world.one, "ecs", action, **members).status == 200, action


@pytest.mark.parametrize("who", ["one", "foreign", "stranger"])
def test_nobody_logs_in_to_anothers_registry(world, who):
    other = OTHER if who == "one" else ACCOUNT
    answer = world.ask(getattr(world, who), "ecr", "GetAuthorizationToken", registryIds=[other])
    assert (answer.status, answer.code) == (400, "InvalidParameterException")


NOBODIES = {
    "unsigned": (None, "MissingAuthenticationTokenException"),
    "unknown key": (
        Credentials(access_key_id="AKIANOBODY", secret_access_key="x" * 40),
        "UnrecognizedClientException",
    ),
}


@pytest.mark.parametrize("who", NOBODIES)
@pytest.mark.parametrize(("service", "action"), TABLE)
def test_nobody_is_let_in(world, service, action, who):
    credentials, code = NOBODIES[who]
    before = world.rows()
    for members in requests(service, action, world.names):
        answer = world.ask(credentials, service, action, **members)
        assert answer.status in {400, 403}
        assert answer.code == code
        assert ACCOUNT not in answer.text
    assert world.rows() == before


def test_a_good_key_with_another_secret_is_nobody(world):
    forged = Credentials(
        access_key_id=world.owner.access_key_id,
        secret_access_key=world.stranger.secret_access_key,
    )
    for service, action in TABLE:
        answer = world.ask(forged, service, action)
        assert answer.code == "InvalidSignatureException", action
