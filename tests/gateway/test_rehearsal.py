"""A dry run tells what a write would do, and nothing of it is done: no row, no wake, no order."""

import asyncio
import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import moorage.ecr.api as ecr
import moorage.ecs.api as ecs
import moorage.iam.api as iam
from moorage.gateway import rehearsal
from moorage.gateway.aws import Door, Ground
from moorage.gateway.compose import own_api
from moorage.gateway.keyring import Keyring
from moorage.gateway.rehearsal import Stage
from moorage.ground.instant import seconds
from moorage.iam.keys import Holder, issue
from moorage.kernel.controller import controller
from moorage.wire.canonical import Credentials
from moorage.wire.request import Request
from moorage.wire.sigv4 import sign
from tests.builders import TABLES, EcsHouse, a_definition, a_host, a_service
from tests.house import ACCOUNT, REGION

TARGETS = {
    "ecs": "AmazonEC2ContainerServiceV20141113",
    "ecr": "AmazonEC2ContainerRegistry_V20150921",
    "moorage": "Moorage_V1",
}


class Scene:
    """A door over a house with hosts, and the key of its root."""

    def __init__(self, url="", controllers=ecs.CONTROLLERS) -> None:
        self.house = EcsHouse(url)
        house = self.house
        self.told = []
        house.database.watch(self.told.extend)
        ground = Ground(
            database=house.database,
            clock=house.clock,
            chance=house.chance,
            site=house.site,
            vault=house.vault,
            keyring=Keyring(house.vault),
        )
        covered = {"ecs": ecs.ECS.operations, "moorage": ecs.FORESEEN}
        stage = Stage(house.site, house.clock, controllers, ecs.FORESEE, covered)
        self.door = Door(ground, (ecs.ECS, ecr.ECR, iam.STS, own_api()), stage)
        holder = Holder(account=ACCOUNT, kind="root", name="", region=REGION)
        key, secret = house.write(lambda call: issue(call.tx, call.vault, holder))
        self.key = Credentials(access_key_id=key.id, secret_access_key=secret)

    def ask(self, service, action, /, dry="true", **members):
        """The answer's headers and members, as a client gets them."""
        headers = (
            ("host", "h:4750"),
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", f"{TARGETS[service]}.{action}"),
        )
        request = Request(
            method="POST", path="/", headers=headers, body=json.dumps(members).encode()
        )
        signed = sign(request, self.key, service, REGION, self.house.clock.now())
        marks = [dry] if isinstance(dry, str) else dry
        sent = Request(
            method=signed.method,
            path=signed.path,
            headers=(*signed.headers, *((rehearsal.HEADER, mark) for mark in marks)),
            body=signed.body,
        )
        answer = asyncio.run(self.door.answer(sent))
        return answer, json.loads(answer.body)

    def plan(self, action, service="ecs", /, **members):
        """What would be done; asserts that nothing was."""
        before, self.told[:] = self.rows(), []
        answer, body = self.ask(service, action, **members)
        assert answer.status == 200, body
        assert answer.get(rehearsal.HEADER) == "true"
        assert self.rows() == before
        assert self.told == []
        assert not self.house.agenda.is_due
        return body[rehearsal.MEMBER]

    def rows(self):
        """Everything that is kept."""
        return {
            table.name: self.house.read(lambda call, table=table: table.query().all(call.tx))
            for table in TABLES
        }

    def where(self):
        """How many live tasks that are to run each host has, by deployment."""
        arns = self.house.ask("ListTasks", desiredStatus="RUNNING")["taskArns"]
        if not arns:
            return Counter()
        found = self.house.ask("DescribeTasks", tasks=arns)["tasks"]
        return Counter((one["containerInstanceArn"], one["startedBy"]) for one in found)


@pytest.fixture
def scene():
    found = Scene()
    yield found
    found.house.close()


def starts_by_host(plan):
    return Counter(one.get("host", "nowhere") for one in plan["starts"])


def grown(scene, hosts=2, count=2, **members):
    for number in range(hosts):
        a_host(scene.house, f"h{number}", cpu=1024, memory=2048)
    made = a_service(scene.house, count=count, **members)
    scene.house.settle()
    return made


def test_an_update_is_foretold_and_nothing_is_done(scene):
    grown(scene)
    definition = a_definition(scene.house, container={"cpu": 300})
    plan = scene.plan("UpdateService", service="web", taskDefinition=definition)
    assert starts_by_host(plan) == Counter({"h0": 1, "h1": 1})
    assert {one["taskDefinition"] for one in plan["starts"]} == {"web:2"}
    assert {one["cpu"] for one in plan["starts"]} == {300}
    assert plan["complete"]
    assert plan["turns"] >= 1
    assert plan["operation"] == "UpdateService"
    assert [one["kind"] for one in plan["changes"]].count("deployment-made") == 1
    waits = " | ".join(one["text"] for one in plan["waits"])
    assert "Not running yet: 2 tasks" in waits
    assert len(plan["stops"]) == 2, "what never ran serves nobody"


def test_what_was_foretold_is_what_happens(scene):
    grown(scene, hosts=3, count=3)
    before = scene.where()
    plan = scene.plan("UpdateService", service="web", desiredCount=7)
    scene.ask("ecs", "UpdateService", dry="false", service="web", desiredCount=7)
    scene.house.settle()
    done = scene.where() - before
    names = {one["containerInstanceArn"]: one["host"] for one in plan["starts"] if "host" in one}
    assert Counter({names[arn]: count for (arn, _), count in done.items()}) == starts_by_host(plan)


def test_where_there_is_no_room_it_says_which_filter_refuses_which_host(scene):
    grown(scene)
    plan = scene.plan("UpdateService", service="web", desiredCount=20)
    assert len(plan["starts"]) == 6, "four a host, and two are there"
    (outlook,) = plan["outlooks"]
    assert outlook["placement"]["lacks"].startswith("has too little ")
    assert any("It waits for room" in one["text"] for one in plan["waits"])
    assert any("was unable to place a task" in one["text"] for one in plan["changes"])


def test_tasks_drains_freezes_and_deletions_are_foretold(scene):
    grown(scene, hosts=2, count=4)
    definition = a_definition(scene.house, "job")
    plan = scene.plan("RunTask", taskDefinition=definition, count=2)
    assert len(plan["starts"]) == 2
    plan = scene.plan("DeleteService", service="web", force=True)
    assert len(plan["stops"]) == 4
    assert "service-deleted" in [one["kind"] for one in plan["changes"]]
    plan = scene.plan("DrainHost", "moorage", host="h0")
    assert starts_by_host(plan).keys() <= {"h1"}
    assert [one["subject"] for one in plan["changes"] if one["kind"] == "host-draining"] == ["h0"]
    plan = scene.plan("FreezeScheduling", "moorage", reason="night", service="web")
    assert "freeze-begun" in [one["kind"] for one in plan["changes"]]
    assert any("It is frozen" in one["text"] for one in plan["waits"])
    assert plan["starts"] == plan["stops"] == []


def test_what_would_be_refused_is_refused_and_says_that_it_was_a_dry_run(scene):
    answer, body = scene.ask("ecs", "UpdateService", service="none", desiredCount=1)
    assert answer.status == 400
    assert body["__type"] == "ServiceNotFoundException"
    assert answer.get(rehearsal.HEADER) == "true"


@pytest.mark.parametrize(
    ("service", "action", "members", "dry", "code"),
    [
        ("ecs", "CreateCluster", {"clusterName": "a"}, "yes", "ValidationException"),
        ("ecs", "CreateCluster", {"clusterName": "a"}, "", "ValidationException"),
        ("ecs", "CreateCluster", {"clusterName": "a"}, ["true", "true"], "ValidationException"),
        ("ecs", "ListClusters", {}, "perhaps", "ValidationException"),
        (
            "ecr",
            "CreateRepository",
            {"repositoryName": "abc"},
            "true",
            "UnsupportedFeatureException",
        ),
        ("moorage", "CreateJoinToken", {}, "true", "UnsupportedFeatureException"),
    ],
)
def test_what_is_no_dry_run_never_becomes_a_write(scene, service, action, members, dry, code):
    before = scene.rows()
    answer, body = scene.ask(service, action, dry=dry, **members)
    assert (answer.status, body["__type"].rpartition("#")[2]) == (400, code)
    assert scene.rows() == before


def test_reads_are_answered_as_ever_and_false_is_a_write(scene):
    answer, body = scene.ask("ecs", "ListClusters")
    assert len(body["clusterArns"]) == 1
    assert answer.get(rehearsal.HEADER) is None
    answer, _ = scene.ask("ecs", "CreateCluster", dry="False", clusterName="a")
    assert answer.status == 200
    assert len(scene.ask("ecs", "ListClusters")[1]["clusterArns"]) == 2


def test_a_door_without_a_stage_has_no_dry_runs(scene):
    scene.door = Door(scene.door.ground, (ecs.ECS,))
    answer, body = scene.ask("ecs", "CreateCluster", clusterName="a")
    assert body["__type"].endswith("UnsupportedFeatureException")
    assert answer.status == 400


def test_a_plan_that_would_never_end_says_that_it_is_not_complete():
    @controller(kind="cluster", keys=lambda _: ())
    def restless(turn, key):
        turn.tx.wake("cluster", key)

    scene = Scene(controllers=(restless,))
    plan = scene.plan("CreateCluster", clusterName="a")
    assert plan["complete"] is False
    assert plan["turns"] == rehearsal.TURNS_MAX
    scene.house.close()


def test_a_plan_that_takes_too_long_makes_way_for_others():
    @controller(kind="cluster", keys=lambda _: ())
    def slow(turn, key):
        scene.house.clock.advance(seconds(0.9))
        turn.tx.wake("cluster", key)

    scene = Scene(controllers=(slow,))
    plan = scene.plan("CreateCluster", clusterName="a")
    assert (plan["complete"], plan["turns"]) == (False, 3)
    scene.house.close()


def test_a_client_token_of_a_dry_run_is_not_used_up(scene):
    grown(scene)
    definition = a_definition(scene.house, "job")
    members = {"taskDefinition": definition, "clientToken": "t"}
    assert len(scene.plan("RunTask", **members)["starts"]) == 1
    _, first = scene.ask("ecs", "RunTask", dry="false", **members)
    _, again = scene.ask("ecs", "RunTask", dry="false", **members)
    assert first == again
    scene.house.settle()
    assert scene.plan("RunTask", **members)["starts"] == [], "the token was used by then"


STRATEGIES = (
    [],
    [{"type": "spread", "field": "instanceId"}],
    [{"type": "binpack", "field": "memory"}],
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(1, 4),
    st.integers(0, 6),
    st.integers(0, 9),
    st.sampled_from(STRATEGIES),
    st.booleans(),
)
def test_plan_and_deed_agree(hosts, count, desired, strategy, anew):
    scene = Scene()
    grown(scene, hosts, count, placementStrategy=strategy)
    change = {"service": "web", "desiredCount": desired, "forceNewDeployment": anew}
    before = scene.where()
    plan = scene.plan("UpdateService", **change)
    scene.ask("ecs", "UpdateService", dry=(), **change)
    scene.house.settle()
    after = scene.where()
    names = {one["containerInstanceArn"]: one["host"] for one in plan["starts"]}
    begun, ended = after - before, before - after
    by_host = Counter[str]()
    for (arn, _), number in begun.items():
        by_host[names[arn]] += number
    assert by_host == starts_by_host(plan)
    assert sum(ended.values()) == len(plan["stops"])
    scene.house.close()


@pytest.mark.postgres
def test_nothing_gets_out_of_postgresql_either(postgres_url):
    scene = Scene(postgres_url)
    grown(scene)
    assert len(scene.plan("UpdateService", service="web", desiredCount=4)["starts"]) == 2
    scene.house.close()
