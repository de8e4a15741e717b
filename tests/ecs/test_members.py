"""No member is accepted and dropped: each is read by its operation, or refused by its name.

The tables stand in `members.py`. What a request's members are read for is no matter of this test;
that nobody reads one is.
"""

import inspect
from functools import cache
from types import SimpleNamespace
from typing import Any

import botocore.session
import msgspec
import pytest

from moorage.ecs import api
from moorage.ground.instant import minutes
from moorage.iam.authorize import authorize
from moorage.kernel import paging
from moorage.kernel.perform import check, perform
from moorage.wire import json11
from tests.builders import a_container, a_definition, a_host, a_service, a_task
from tests.ecs.members import IDLE, ONE_VALUE, REFUSED, SOUND, filled
from tests.ecs.operations.pools_scene import a_house, a_provider, a_rule
from tests.house import ACCOUNT, root

OPERATIONS = sorted(api.ECS.operations)
PAUSE = {"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]}
# Given by the answer before: a token is of one question.
TOKEN = "nextToken"
REFUSALS = [(name, member) for name, members in REFUSED.items() for member in members]


class Undo(Exception):  # noqa: N818 - what a test asked is taken back
    """Takes back what a request has written."""


@pytest.fixture(scope="module")
def scene():
    """A house with one of each thing, whose names are filled into the tables."""
    house = a_house(a_rule(), a_rule(name="second"), a_rule(name="third"))
    key = a_host(house)
    a_provider(house)
    free = {"autoScalingGroupArn": "third"}
    house.ask("CreateCapacityProvider", name="free", autoScalingGroupProvider=free)
    house.ask("CreateCluster", clusterName="empty")
    for name in ("web", "old"):
        a_definition(house, name)
    house.ask("DeregisterTaskDefinition", taskDefinition="old:1")
    a_definition(house, "vpc", networkMode="awsvpc", containerDefinitions=[a_container()])
    web = a_service(house, count=1, taskDefinition="web:1")
    task = a_task(house, taskDefinition="web:1", startedBy="me")
    house.settle()
    (kept,) = house.ask("ListTasks", serviceName="web")["taskArns"]
    a_service(house, "held", count=0, taskDefinition="web:1")
    house.settle()
    house.pass_time(minutes(1))
    hooked = {"lifecycleHooks": [PAUSE]}
    house.ask(
        "UpdateService", service="held", forceNewDeployment=True, deploymentConfiguration=hooked
    )
    house.settle()
    (newest, *_) = house.ask("ListServiceDeployments", service="held")["serviceDeployments"]
    paused = newest["serviceDeploymentArn"]
    (shown,) = house.ask("DescribeServiceDeployments", serviceDeploymentArns=[paused])[
        "serviceDeployments"
    ]
    names = {
        "host": key.instance,
        "hook": shown["lifecycleHookDetails"][0]["hookId"],
        "kept": kept,
        "paused": paused,
        "revision": newest["targetServiceRevisionArn"],
        "root": f"arn:aws:iam::{ACCOUNT}:root",
        "service": web["serviceArn"],
        "task": task["taskArn"],
    }
    yield SimpleNamespace(house=house, key=key, names=names)
    house.close()


def wire(kind: type[msgspec.Struct]) -> dict[str, str]:
    """The members of a request on the wire, by their names in Python."""
    return dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))


@cache
def listening(kind: type[msgspec.Struct]) -> tuple[type[msgspec.Struct], set[str]]:
    """The same request, which notes which of its members somebody reads.

    What binds a page's token to its question reads all of them, and acts on none.
    """
    names, heard = wire(kind), set[str]()

    def look(self: Any, name: str) -> Any:
        if name in names:
            frame = inspect.currentframe()
            reader = frame.f_back.f_code if frame and frame.f_back else None
            binds = reader is not None and reader.co_filename == paging.__file__
            if not binds or name in {"next_token", "max_results"}:
                heard.add(names[name])
        return object.__getattribute__(self, name)

    return type(kind)(f"Listening{kind.__name__}", (kind,), {"__getattribute__": look}), heard


def read_of(scene: Any, name: str, members: dict[str, Any]) -> set[str]:
    """Which members of a sound request its operation reads; what it did is taken back."""
    operation = api.ECS.operations[name]
    text = msgspec.json.encode(filled(members, scene.names))
    request = json11.decode(text, operation.request)
    check(api.ECS, request)
    kind, heard = listening(operation.request)
    heard.clear()
    spied = kind(**{one: getattr(request, one) for one in operation.request.__struct_fields__})

    def work(call: Any) -> None:
        perform(call, operation, spied, authorize)
        raise Undo

    by = scene.key if operation.callers == {"host"} else root()
    with pytest.raises(Undo):
        scene.house.write(work, principal=by, operation=name)
    return set(heard)


def acting(name: str) -> set[str]:
    """The members that the sound requests of an operation have."""
    paged = {TOKEN} if any("maxResults" in members for members in SOUND[name]) else set()
    return {member for members in SOUND[name] for member in members} | paged


def test_every_member_of_the_model_stands_in_one_of_the_tables():
    model = botocore.session.get_session().get_service_model("ecs")
    assert sorted(SOUND) == OPERATIONS
    for name in OPERATIONS:
        request = set(wire(api.ECS.operations[name].request).values())
        shape = model.operation_model(name).input_shape
        assert set(shape.members if shape else ()) <= request, name
        kinds = [acting(name), set(REFUSED.get(name, ())), set(IDLE.get(name, ()))]
        if name == "UpdateContainerAgent":  # it never answers: its own tests tell all
            kinds[0] = {"cluster", "containerInstance"}
        assert set.union(*kinds) == request, name
        assert sum(map(len, kinds)) == len(request), f"{name}: a member stands in two tables"


@pytest.mark.parametrize("name", [one for one in OPERATIONS if SOUND[one]])
def test_each_member_that_is_not_refused_is_read(scene, name):
    read = [read_of(scene, name, members) for members in SOUND[name]]
    unread = acting(name) - ONE_VALUE.get(name, set()) - set.union(*read)
    assert not unread, f"{name} answers and never looks at {unread}"


@pytest.mark.parametrize(("name", "member"), REFUSALS)
def test_each_member_that_is_not_built_is_refused_by_name(scene, name, member):
    value, code = REFUSED[name][member]
    members = filled({**SOUND[name][0], member: value}, scene.names)
    if member == "managedInstancesProvider":  # one of the two is wanted
        del members["autoScalingGroupProvider"]
    said = scene.house.refused(name, code, **members)
    named = {"platformVersion": "platform version"}.get(member, member)
    assert named in said
