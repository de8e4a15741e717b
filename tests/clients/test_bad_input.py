"""Thousands of bad requests: AWS's error each time, never a 5xx, and nothing changed."""

import json
from collections import defaultdict
from itertools import islice

import pytest

from moorage.ecr import api as ecr
from moorage.ecs import api as ecs
from tests.clients.mutations import Bad, doubtful, refused, service_model
from tests.clients.place import Place
from tests.clients.signed import Caller

pytestmark = [pytest.mark.clients, pytest.mark.engine]

BUILT = {"ecs": sorted(ecs.ECS.operations), "ecr": sorted(ecr.ECR.operations)}
ABSENT = {"ecs": sorted(ecs.ECS.absent), "ecr": sorted(ecr.ECR.absent)}
OPERATIONS = [(service, name) for service, names in BUILT.items() for name in names]
# Of each operation and kind, so that all of them together stay near two thousand requests.
REQUESTS_MAX = 32
# Where an answer that is not refused still is no trouble: a task definition may have odd words.
FAULT_STATUS = range(400, 500)


@pytest.fixture(scope="module")
def stranger(shared_place: Place):
    """The root of a second account, which has nothing."""
    made = json.loads(shared_place.server.command("account", "create", "--json"))
    key = {
        "access_key_id": made["accessKeyId"],
        "secret_access_key": made["secretAccessKey"],
    }
    caller = Caller(shared_place.server.address, key)
    yield caller
    caller.close()


@pytest.fixture
def real(stranger) -> dict[str, object]:
    """Things that exist in the second account, by the names of members that mean them."""
    container = {"name": "main", "image": "somewhere/image:1", "memory": 64}
    made = {"cluster": "here", "family": "here", "containerDefinitions": [container]}
    stranger.call("ecs", "CreateCluster", {"clusterName": "here"})
    stranger.call("ecs", "RegisterTaskDefinition", {**made, "tags": []})
    service = {"cluster": "here", "serviceName": "here", "taskDefinition": "here"}
    stranger.call("ecs", "CreateService", {**service, "desiredCount": 0})
    stranger.call("ecr", "CreateRepository", {"repositoryName": "here"})
    return {
        "cluster": "here",
        "clusters": ["here"],
        "service": "here",
        "services": ["here"],
        "taskDefinition": "here",
        "family": "here",
        "repositoryName": "here",
        "repositoryNames": ["here"],
        "containerDefinitions": [container],
    }


@pytest.fixture(scope="module")
def owner(shared_place: Place):
    """The root of the first account."""
    caller = Caller(shared_place.server.address, shared_place.server.key())
    yield caller
    caller.close()


def spread(found: list[Bad]) -> list[Bad]:
    """At most so many of them, from the beginning to the end."""
    step = max(1, len(found) // REQUESTS_MAX)
    return list(islice(found, 0, None, step))[:REQUESTS_MAX]


def everything(caller: Caller) -> object:
    """All that an account has, as its own descriptions show it."""
    clusters = caller.call("ecs", "ListClusters", {})[1]["clusterArns"]
    seen: dict[str, object] = defaultdict(list)
    seen["definitions"] = caller.call("ecs", "ListTaskDefinitions", {})[1]
    seen["repositories"] = caller.call("ecr", "DescribeRepositories", {})[1]
    for cluster in sorted(clusters):
        for one in ("Services", "Tasks", "ContainerInstances"):
            seen[f"{cluster} {one}"] = caller.call("ecs", f"List{one}", {"cluster": cluster})[1]
    names = [one["repositoryName"] for one in seen["repositories"]["repositories"]]
    for name in names:
        seen[name] = caller.call("ecr", "ListImages", {"repositoryName": name})[1]
    return seen


def check_form(status: int, answer: object, what: object) -> None:
    """The form of an error of AWS's JSON protocol."""
    assert status in FAULT_STATUS, (what, status, answer)
    assert isinstance(answer, dict), what
    assert answer["__type"], what
    assert answer.get("message") or answer.get("Message"), what


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
def test_a_member_that_is_missing_or_mistyped_is_refused(stranger, real, service, name):
    """Whatever AWS's model cannot read is an error of the caller, and changes nothing."""
    before = everything(stranger)
    model = service_model(service).operation_model(name)
    for bad in spread(list(refused(model))):
        status, answer = stranger.call(service, name, bad.among(real, model.input_shape))
        check_form(status, answer, bad)
    assert everything(stranger) == before


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
def test_a_strange_value_never_breaks_the_server(stranger, owner, real, service, name):
    """Over-long, negative, huge or odd values: an error or an answer, never a 5xx.

    The other account notices nothing.
    """
    before = everything(owner)
    model = service_model(service).operation_model(name)
    for bad in spread(list(doubtful(model))):
        status, answer = stranger.call(service, name, bad.among(real, model.input_shape))
        assert status < 500, (bad, answer)
        if status != 200:
            check_form(status, answer, bad)
    assert everything(owner) == before


@pytest.mark.parametrize(("service", "name"), [(s, n) for s, ns in ABSENT.items() for n in ns])
def test_what_is_not_built_is_refused_by_name(stranger, service, name):
    status, answer = stranger.call(service, name, {})
    check_form(status, answer, name)
    assert name in answer["message"]


def test_foreign_resources_cannot_be_touched(place: Place, images, stranger, owner):
    """Every operation of a second account with the first one's ARNs, wherever one fits."""
    definition = place.register("owned", {"image": images["web:1"]})
    place.ecs.create_service(serviceName="owned", taskDefinition=definition, desiredCount=1)
    told = place.steady("owned")
    [task] = place.running("owned")
    arns = {
        "cluster": told["clusterArn"],
        "service": told["serviceArn"],
        "services": [told["serviceArn"]],
        "task": task["taskArn"],
        "tasks": [task["taskArn"]],
        "taskDefinition": told["taskDefinition"],
        "containerInstance": task["containerInstanceArn"],
        "containerInstances": [task["containerInstanceArn"]],
        "resourceArn": told["serviceArn"],
        "repositoryName": "web",
        "registryId": told["serviceArn"].split(":")[4],
        "clusters": [told["clusterArn"]],
    }
    before = (everything(owner), place.service("owned")["taskDefinition"])
    for service, name in OPERATIONS:
        shape = service_model(service).operation_model(name).input_shape
        members = {one: arns[one] for one in shape.members if one in arns}
        members |= {"force": True} if "force" in shape.members else {}
        members |= {"desiredCount": 0} if name == "UpdateService" else {}
        status, answer = stranger.call(service, name, members)
        assert status < 500, (name, answer)
        text = json.dumps((answer.get("failures") and {"f": 1}) or answer)
        assert status != 200 or task["taskArn"] not in text, (name, answer)
    assert (everything(owner), place.service("owned")["taskDefinition"]) == before
    assert place.service("owned")["runningCount"] == 1


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"[]", b"null", b'"x"', b"7", b"{'a': 1}", b"\xff\xfe", b'{"cluster": NaN}',
        b'{"a":' * 20_000, b"[" * 100_000, b'{"cluster": "\\ud800"}', b"\x00", b'{"maxResults": 1e999}',
    ],
    ids=lambda body: repr(body[:12]),
)  # fmt: skip
def test_a_body_that_is_no_json_object_is_refused(owner, body):
    status, answer = owner.call("ecs", "ListClusters", body)
    check_form(status, answer, body[:20])


def test_a_body_that_is_too_long_is_refused_before_it_is_read(owner):
    """Two MiB where one is the bound: an error at once, and the next request is served."""
    body = json.dumps({"clusterName": "x" * (2 << 20)}).encode()
    request = owner.signed(owner.request("ecs", "CreateCluster", body), "ecs")
    try:
        status, _, text = owner.send(request)
    except (BrokenPipeError, ConnectionResetError):
        owner.close()  # the server may close while we still send
    else:
        check_form(status, json.loads(text), "over-long")
    assert owner.call("ecs", "ListClusters", {})[0] == 200


def test_a_signature_that_is_not_right_is_refused(owner):
    """Tampering, a wrong secret, an unknown key, a wrong clock, a foreign region, no signature."""
    good = owner.request("ecs", "ListClusters", b"{}")
    signed = owner.signed(good, "ecs")
    tampered = type(signed)(
        method="POST", path="/", headers=signed.headers, body=b'{"maxResults":1}'
    )
    other = Caller(
        owner.address, {"access_key_id": owner.key.access_key_id, "secret_access_key": "x" * 40}
    )
    unknown = Caller(
        owner.address, {"access_key_id": "AKIA" + "X" * 16, "secret_access_key": "x" * 40}
    )
    cases = [
        (tampered, "InvalidSignatureException"),
        (other.signed(good, "ecs"), "InvalidSignatureException"),
        (unknown.signed(good, "ecs"), "UnrecognizedClientException"),
        (owner.signed(good, "ecs", skew=-600), "InvalidSignatureException"),
        (owner.signed(good, "ecs", skew=600), "InvalidSignatureException"),
        (owner.signed(good, "ecs", region="mars-1"), "InvalidSignatureException"),
        (owner.signed(good, "ecr"), "InvalidSignatureException"),
        (good, "MissingAuthenticationTokenException"),
    ]
    for request, expected in cases:
        status, _, body = owner.send(request)
        answer = json.loads(body)
        check_form(status, answer, expected)
        assert answer["__type"].rpartition("#")[2] == expected
        assert owner.key.secret_access_key.encode() not in body
    assert owner.send(signed)[0] == 200


@pytest.mark.parametrize(
    "target", ["", "Nonsense", "Nonsense.ListClusters", "AmazonEC2ContainerServiceV20141113.Nope"]
)
def test_a_target_that_is_not_known_is_refused(owner, target):
    request = owner.request("ecs", "x", b"{}", x_amz_target=target)
    status, _, body = owner.send(owner.signed(request, "ecs"))
    check_form(status, json.loads(body), target)
