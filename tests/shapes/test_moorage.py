"""Our own calls keep to the form of Amazon's: every member may be absent, names in camel case."""

import msgspec
import pytest

from moorage.shapes.constraint import violations
from moorage.shapes.moorage.constraints import CONSTRAINTS
from moorage.shapes.moorage.host import CreateJoinTokenRequest, JoinRequest
from moorage.shapes.moorage.operations import OPERATIONS

STRUCTS = sorted({end for pair in OPERATIONS.values() for end in pair}, key=lambda s: s.__name__)


@pytest.mark.parametrize("struct", STRUCTS)
def test_a_struct_is_empty_by_default_and_bears_its_operations_name(struct):
    assert msgspec.json.encode(struct()) == b"{}"
    assert all("_" not in wire for wire in struct.__struct_encode_fields__)


@pytest.mark.parametrize(("name", "ends"), OPERATIONS.items())
def test_names_follow_the_operation(name, ends):
    assert [end.__name__ for end in ends] == [f"{name}Request", f"{name}Response"]


@pytest.mark.parametrize(
    ("request_", "members"),
    [
        (CreateJoinTokenRequest(), []),
        (CreateJoinTokenRequest(uses=0, ttl_seconds=0), ["uses", "ttlSeconds"]),
        (JoinRequest(name="host-1"), ["token"]),
        (JoinRequest(token="t", name="a\nb"), ["name"]),
    ],
)
def test_what_a_request_must_hold(request_, members):
    found = violations(request_, CONSTRAINTS)
    assert [sentence.split(" at '")[1].split("'")[0] for sentence in found] == members


def test_a_join_token_is_never_repeated():
    (sentence,) = violations(JoinRequest(token="s" * 300), CONSTRAINTS)
    assert "sss" not in sentence
