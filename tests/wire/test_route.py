import pytest

from moorage.ground.fault import Serialization, UnknownOperation
from moorage.wire.request import Request
from moorage.wire.route import Route, Table, Target, route

ECS = Target(service="ecs", protocol="json-1.1")
STS = Target(service="sts", protocol="query", namespace="https://sts.amazonaws.com/doc/2011-06-15/")
TABLE = Table(
    prefixes={"AmazonEC2ContainerServiceV20141113": ECS},
    versions={"2011-06-15": STS},
    hosts={"sts": STS},
)
FORM = ("content-type", "application/x-www-form-urlencoded")


def _targeted(target: str) -> Request:
    return Request(method="POST", path="/", headers=(("x-amz-target", target),))


def _posted(body: bytes, host: str = "127.0.0.1:4750") -> Request:
    return Request(method="POST", path="/", headers=(("host", host), FORM), body=body)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            _targeted("AmazonEC2ContainerServiceV20141113.CreateService"),
            Route(target=ECS, operation="CreateService"),
        ),
        (
            _posted(b"Action=GetCallerIdentity&Version=2011-06-15"),
            Route(target=STS, operation="GetCallerIdentity"),
        ),
        (
            _posted(b"Action=GetCallerIdentity", "STS.us-east-1.example:4750"),
            Route(target=STS, operation="GetCallerIdentity"),
        ),
        (
            Request(
                method="GET",
                path="/",
                query="Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Signature=0",
            ),
            Route(target=STS, operation="GetCallerIdentity"),
        ),
    ],
)
def test_the_operation_that_is_named(request_, expected):
    named = route(request_, TABLE)
    assert named == expected
    assert (named.service, named.protocol) == (expected.target.service, expected.target.protocol)


@pytest.mark.parametrize(
    "request_",
    [
        Request(method="GET", path="/"),
        _targeted("AmazonEC2ContainerServiceV20141113"),
        _targeted("AmazonEC2ContainerServiceV20141113."),
        _targeted("AmazonEC2ContainerServiceV20141113.../x"),
        _targeted("AmazonEC2ContainerServiceV20141113.Create Service"),
        _targeted("AmazonEC2ContainerServiceV20141113." + "A" * 129),
        _targeted("DynamoDB_20120810.ListTables"),
        _targeted(""),
        Request(
            method="POST",
            path="/",
            headers=(
                ("x-amz-target", "AmazonEC2ContainerServiceV20141113.ListClusters"),
                ("x-amz-target", "AmazonEC2ContainerServiceV20141113.CreateCluster"),
            ),
        ),
        _posted(b"Action=GetCallerIdentity"),
        _posted(b"Action=GetCallerIdentity&Version=2010-05-08"),
        _posted(b"Action=&Version=2011-06-15"),
        _posted(b"Version=2011-06-15"),
    ],
)
def test_what_names_no_operation(request_):
    with pytest.raises(UnknownOperation) as refusal:
        route(request_, TABLE)
    assert refusal.value.message


def test_two_actions_are_refused():
    with pytest.raises(Serialization):
        route(_posted(b"Action=A&Action=B&Version=2011-06-15"), TABLE)
