"""The life of one AWS request: where it goes, who asks, how it is answered, and what is remembered."""

import asyncio
import json
import logging
import re

import pytest

import moorage.ecs.api as ecs
import moorage.iam.api as iam
from moorage.gateway.aws import Door
from moorage.ground.record import evolve
from moorage.iam.store import access_keys
from moorage.sql.transaction import StoreFailed
from moorage.wire.request import Request
from tests.gateway.ground import Desk

TARGET = "AmazonEC2ContainerServiceV20141113"
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Scene:
    """A door with the ECS and STS tables, and the key of an account's root."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.door = Door(self.desk.ground, (ecs.ECS, iam.STS))
        self.key = self.desk.key("root")

    def ask(self, operation, body=b"{}", *, key=None, service="ecs", target=TARGET, **more):
        headers = (
            ("host", "h:4750"),
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", f"{target}.{operation}"),
        )
        request = Request(method="POST", path="/", headers=headers, body=body)
        return self.answer(request, key=key, service=service, **more)

    def sts(self, form, key=None):
        headers = (("host", "h"), ("content-type", "application/x-www-form-urlencoded"))
        request = Request(method="POST", path="/", headers=headers, body=form)
        return self.answer(request, key=key, service="sts")

    def answer(self, request, *, key=None, service="ecs", **more):
        signed = self.desk.signed(key or self.key, request, service, **more)
        return asyncio.run(self.door.answer(signed))

    def forget(self, key):
        self.desk.house.write(lambda call: access_keys.delete(call.tx, key.access_key_id))


@pytest.fixture
def scene():
    found = Scene()
    yield found
    found.desk.close()


def code_of(answer):
    return answer.status, json.loads(answer.body)["__type"].rpartition("#")[2]


def test_an_operation_is_found_run_and_answered_with_an_id(scene):
    answer = scene.ask("CreateCluster", b'{"clusterName":"a"}')
    assert answer.status == 200
    assert json.loads(answer.body)["cluster"]["clusterName"] == "a"
    assert ID.fullmatch(answer.get("x-amzn-requestid"))
    again = scene.ask("ListClusters")
    assert again.get("x-amzn-requestid") != answer.get("x-amzn-requestid")
    assert len(json.loads(again.body)["clusterArns"]) == 2


def test_the_query_protocol_is_answered_in_its_own_form(scene):
    answer = scene.sts(b"Action=GetCallerIdentity&Version=2011-06-15")
    assert answer.status == 200
    assert b"<Account>111122223333</Account>" in answer.body
    refused = scene.sts(b"Action=Nothing&Version=2011-06-15")
    assert refused.status == 400
    assert b"<Code>" in refused.body
    assert b"<RequestId>" in refused.body


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        ("Nothing", b"{}", (400, "UnknownOperationException")),
        ("CreateTaskSet", b"{}", (400, "UnsupportedFeatureException")),
        ("CreateCluster", b"{", (400, "SerializationException")),
        ("CreateCluster", b"[]", (400, "SerializationException")),
        ("CreateCluster", b"[" * 100_000, (400, "SerializationException")),
        ("CreateCluster", b'{"clusterName":7}', (400, "SerializationException")),
        ("CreateCluster", b'{"clusterName":"no name"}', (400, "InvalidParameterException")),
        ("DescribeTasks", b'{"cluster":"none","tasks":["x"]}', (400, "ClusterNotFoundException")),
        ("SubmitTaskStateChange", b'{"task":"x"}', (400, "AccessDeniedException")),
    ],
)
def test_what_is_asked_wrongly_is_refused_by_name_and_changes_nothing(
    scene, operation, body, expected
):
    answer = scene.ask(operation, body)
    assert code_of(answer) == expected
    assert ID.fullmatch(answer.get("x-amzn-requestid"))
    listed = json.loads(scene.ask("ListClusters").body)["clusterArns"]
    assert [arn.rpartition("/")[2] for arn in listed] == ["default"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"region": "eu-west-1"}, "InvalidSignatureException"),
        ({"service": "ecr"}, "InvalidSignatureException"),
    ],
)
def test_a_signature_for_elsewhere_is_refused(scene, more, code):
    assert code_of(scene.ask("ListClusters", **more)) == (400, code)


def test_nobody_gets_in_without_a_signature(scene):
    headers = (("host", "h"), ("x-amz-target", f"{TARGET}.ListClusters"))
    plain = Request(method="POST", path="/", headers=headers, body=b"{}")
    answer = asyncio.run(scene.door.answer(plain))
    assert code_of(answer) == (400, "MissingAuthenticationTokenException")


def test_a_key_is_loaded_once(scene):
    scene.ask("ListClusters")
    before = scene.desk.database.reads
    scene.ask("ListClusters")
    assert scene.desk.database.reads == before + 1, "the operation alone"


def test_an_unknown_key_is_looked_up_each_time_and_never_let_in(scene):
    stranger = scene.desk.key("root")
    scene.forget(stranger)
    for _ in range(2):
        before = scene.desk.database.reads
        answer = scene.ask("ListClusters", key=stranger)
        assert code_of(answer) == (400, "UnrecognizedClientException")
        assert scene.desk.database.reads == before + 1


def test_a_key_that_is_deleted_is_forgotten_at_once(scene):
    assert scene.ask("ListClusters").status == 200
    scene.forget(scene.key)
    assert code_of(scene.ask("ListClusters")) == (400, "UnrecognizedClientException")


def test_a_key_that_changes_is_read_anew(scene):
    host = scene.desk.instance()
    key = scene.desk.key("host")
    ask = b'{"containerInstance":"%s"}' % host.arn.encode()
    assert code_of(scene.ask("DiscoverPollEndpoint", ask, key=key))[0] == 400

    def bind(call):
        known = access_keys.get(call.tx, key.access_key_id)
        access_keys.put(call.tx, evolve(known, instance=host.arn))

    scene.desk.house.write(bind)
    assert scene.ask("DiscoverPollEndpoint", ask, key=key).status == 200


def test_a_database_in_trouble_is_a_503_and_a_fault_of_ours_a_500(scene, caplog):
    scene.ask("ListClusters")
    scene.desk.database.broken = StoreFailed("The disk is full.")
    assert code_of(scene.ask("ListClusters")) == (503, "ServiceUnavailableException")
    scene.desk.database.broken = AssertionError("the secret of the house")
    answer = scene.ask("ListClusters")
    assert code_of(answer) == (500, "ServerException")
    assert b"secret" not in answer.body
    request_id = answer.get("x-amzn-requestid")
    assert request_id.encode() in answer.body
    assert f"request {request_id} failed" in caplog.text
    assert "the secret of the house" in caplog.text, "the log has the trace"


def test_each_request_is_one_line_of_the_log_without_secrets(scene, caplog):
    caplog.set_level(logging.INFO, "moorage.api")
    answer = scene.ask("CreateCluster", b'{"clusterName":"a"}')
    (line,) = [one for one in caplog.records if one.name == "moorage.api"]
    assert line.request_id == answer.get("x-amzn-requestid")
    assert (line.operation, line.code, line.account) == ("ecs:CreateCluster", "ok", "111122223333")
    assert line.milliseconds >= 0
    assert scene.key.secret_access_key not in str(vars(line))
