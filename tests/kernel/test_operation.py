"""Operations and their tables: names, types, and what is refused by name."""

import pytest

from moorage.ground.fault import UnknownOperation, Unsupported, Validation
from moorage.ground.instant import hours
from moorage.ground.record import Record
from moorage.kernel.api import Api
from moorage.kernel.call import Call
from moorage.kernel.operation import Idempotency, action_name, operation
from moorage.kernel.perform import KEPT_ANSWERS, check, sweep_tokens
from moorage.shapes.constraint import Constraint
from tests.house import House


class MakeBoatRequest(Record, rename="camel"):
    name: str | None = None
    client_token: str | None = None


class MakeBoatResponse(Record, rename="camel"):
    number: int | None = None


class Taken(Validation):
    code = "ConflictException"


MADE: list[str] = []


@operation(idempotency=Idempotency("client_token", Taken))
def make_boat(call: Call, request: MakeBoatRequest) -> MakeBoatResponse:
    """Count the boats."""
    MADE.append(request.name or "")
    return MakeBoatResponse(number=len(MADE))


@operation(reads=True)
def list_boats(call: Call, request: MakeBoatRequest) -> MakeBoatResponse:
    """Answer a number."""
    return MakeBoatResponse(number=0)


SHAPES = {
    "MakeBoat": (MakeBoatRequest, MakeBoatResponse),
    "ListBoats": (MakeBoatRequest, MakeBoatResponse),
    "SinkBoat": (MakeBoatRequest, MakeBoatResponse),
}


def an_api(**changes):
    members = {
        "service": "boats",
        "target": "Boats_V1",
        "shapes": SHAPES,
        "operations": [make_boat, list_boats],
        "absent": ["SinkBoat"],
        "constraints": {MakeBoatRequest: (Constraint(member="name", wire="name", required=True),)},
        "invalid": Validation,
    }
    return Api(**{**members, **changes})


@pytest.fixture
def house():
    MADE.clear()
    made = House([KEPT_ANSWERS])
    yield made
    made.close()


@pytest.mark.parametrize(
    ("function", "action"),
    [("create_service", "CreateService"), ("join", "Join"), ("list_v2_things", "ListV2Things")],
)
def test_an_action_is_named_by_its_function(function, action):
    assert action_name(function) == action


def test_an_operation_knows_its_types_and_whether_it_writes():
    assert (make_boat.request, make_boat.answer) == (MakeBoatRequest, MakeBoatResponse)
    assert make_boat.writes
    assert not list_boats.writes


def test_an_api_finds_what_it_has_and_names_what_it_has_not():
    api = an_api()
    assert api.find("MakeBoat") is make_boat
    with pytest.raises(Unsupported, match="boats:SinkBoat"):
        api.find("SinkBoat")
    with pytest.raises(UnknownOperation, match="PaintBoat"):
        api.find("PaintBoat")


@pytest.mark.parametrize(
    "changes",
    [
        {"absent": []},
        {"absent": ["SinkBoat", "MakeBoat"]},
        {"absent": ["SinkBoat", "PaintBoat"]},
        {"operations": [make_boat, list_boats, list_boats]},
        {"shapes": {**SHAPES, "MakeBoat": (MakeBoatResponse, MakeBoatResponse)}},
    ],
)
def test_a_table_that_disagrees_with_its_shapes_does_not_load(changes):
    with pytest.raises(AssertionError):
        an_api(**changes)


def test_a_broken_constraint_is_the_services_own_fault():
    check(an_api(), MakeBoatRequest(name="ark"))
    with pytest.raises(Validation, match="Value null at 'name'"):
        check(an_api(), MakeBoatRequest())


def test_a_client_token_gives_the_first_answer_again(house):
    request = MakeBoatRequest(name="ark", client_token="t1")
    assert house.run(make_boat, request) == house.run(make_boat, request)
    assert MADE == ["ark"]


def test_a_client_token_with_another_request_is_a_conflict(house):
    house.run(make_boat, MakeBoatRequest(name="ark", client_token="t1"))
    with pytest.raises(Taken, match="client_token was used before"):
        house.run(make_boat, MakeBoatRequest(name="raft", client_token="t1"))
    assert MADE == ["ark"]


def test_a_client_token_is_bound_to_its_account(house):
    request = MakeBoatRequest(name="ark", client_token="t1")
    house.run(make_boat, request)
    house.run(make_boat, request, account="444455556666")
    assert MADE == ["ark", "ark"]


def test_a_client_token_is_forgotten_after_a_day(house):
    request = MakeBoatRequest(name="ark", client_token="t1")
    house.run(make_boat, request)
    house.clock.advance(hours(25))
    assert house.write(lambda call: sweep_tokens(call.tx)) == 1
    assert house.run(make_boat, request).number == 2


def test_without_a_token_every_call_counts(house):
    house.run(make_boat, MakeBoatRequest(name="ark"))
    house.run(make_boat, MakeBoatRequest(name="ark"))
    assert MADE == ["ark", "ark"]
