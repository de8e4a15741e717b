"""Whatever stands in a request, the answer is an answer or AWS's refusal: never a fault of ours.

Requests are drawn from the types of their members: well-formed for the decoder, senseless else.
"""

import types
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage.ecs import api
from moorage.ground.fault import Fault
from tests.builders import ACCOUNT, OTHER, REGION, EcsHouse, a_definition, a_host, a_service, a_task

ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
TEXTS = (
    "", " ", "x", "web", "web:1", "web:99", "default", "default/web", "a/b/c", "a" * 300,
    "1", "-1", "1 vCPU", "2 GB", "memberOf", "spread", "random", "binpack", "instanceId", "cpu",
    "attribute:a == b", "(((", "ACTIVE", "STOPPED", "DRAINING", "EC2", "bridge", "host", "TAGS",
    "CPU", "MEMORY", "PORTS", "INTEGER", "RUNNING", "é", "\0", "arn:", "arn:aws:ecs",
    f"{ARN}:cluster/default", f"{ARN}:service/default/web", f"{ARN}:task-definition/web:1",
    f"{ARN}:task/default/{'a' * 32}", f"{ARN}:container-instance/default/{'a' * 32}",
    f"arn:aws:ecs:{REGION}:{OTHER}:cluster/default", f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/x",
)  # fmt: skip
NUMBERS = (-(2**31), -1, 0, 1, 2, 3, 80, 512, 65_535, 65_536, 2**31 - 1)
DEPTH_MAX = 4
LISTS_MAX = 2


@cache
def drawn(kind: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a member's type, as JSON holds them."""
    origin = get_origin(kind)
    if origin is Annotated:
        inner = get_args(kind)[0]
        return st.sampled_from(NUMBERS) if inner is int else st.sampled_from((0.0, 1.5, 1.8e9))
    if origin in (Union, types.UnionType):
        kept = [drawn(one, depth) for one in get_args(kind) if one is not type(None)]
        return st.one_of(kept)
    if origin is list:
        return st.lists(drawn(get_args(kind)[0], depth + 1), max_size=LISTS_MAX)
    if origin is dict:
        return st.dictionaries(st.sampled_from(TEXTS), st.sampled_from(TEXTS), max_size=LISTS_MAX)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return structure(kind, depth)
    simple = {bool: st.booleans(), float: st.sampled_from((0.0, -1.5, 100.0))}
    return simple.get(kind, st.sampled_from(TEXTS))


@cache
def structure(kind: type[msgspec.Struct], depth: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    """The members that a structure must have, and some others; below DEPTH_MAX none."""
    if depth > DEPTH_MAX:
        return st.just({})
    hints = get_type_hints(kind, include_extras=True)
    wire = dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))
    members = {wire[name]: drawn(hints[name], depth + 1) for name in wire}
    demanded = {one.wire for one in api.ECS.constraints.get(kind, ()) if one.required}
    return st.fixed_dictionaries(
        {name: members[name] for name in members if name in demanded},
        optional={name: members[name] for name in members if name not in demanded},
    )


@pytest.fixture(scope="module")
def house():
    made = EcsHouse()
    made.key = a_host(made)
    a_definition(made)
    a_service(made, count=1)
    a_task(made)
    made.settle()
    yield made
    made.close()


HOST_ACTIONS = tuple(
    sorted(n for n, one in api.ECS.operations.items() if "root" not in one.callers)
)


@pytest.mark.parametrize("action", sorted(api.ECS.operations))
def test_no_request_is_a_fault_of_ours(house, action):
    operation = api.ECS.operations[action]

    @settings(
        max_examples=60,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(structure(operation.request))
    def holds(members):
        try:
            house.ask(action, by=house.key if action in HOST_ACTIONS else None, **members)
        except Fault as fault:
            if fault.status >= 500:
                raise

    holds()
    house.settle()
