"""DescribePools: sizes, who waits, and what went wrong; one's own alone."""

import msgspec
import pytest

from moorage.ecs.operations.pool import describe_pools
from moorage.ecs.store import machine_orders, pools
from moorage.ground.fault import Validation
from moorage.ground.instant import epoch, minutes, seconds
from moorage.shapes.ecs.faults import ClientException
from moorage.shapes.moorage.pool import DescribePoolsRequest
from tests.builders import a_definition, a_host
from tests.ecs.operations.pools_scene import (
    POOL,
    a_house,
    a_provider,
    a_rule,
    known_machines,
    live_hosts,
    make,
)
from tests.house import ACCOUNT, OTHER, REGION, root


def described(house, **members):
    given = {key: members.pop(key) for key in ("principal",) if key in members}
    answer = house.run(describe_pools, DescribePoolsRequest(**members), **given)
    return msgspec.json.decode(msgspec.json.encode(answer))["pools"]


def test_a_pool_tells_its_size_who_waits_and_what_went_wrong():
    house = a_house(a_rule(size_max=3), a_rule(name="bare"))
    bare, spare = described(house)
    assert bare == {
        "name": "bare",
        "cluster": "default",
        "minimum": 0,
        "maximum": 4,
        "wanted": 0,
        "reservation": 100,
        "waitingTasks": 0,
        "failures": 0,
        "machines": [],
    }
    a_provider(house)
    strategy = [{"capacityProvider": "cp", "weight": 1}]
    house.ask("RunTask", taskDefinition=a_definition(house), capacityProviderStrategy=strategy)
    house.settle()
    first = known_machines(house)[0]
    house.write(lambda call: machine_orders.failed(call.tx, first, "no credit", 3))
    (spare,) = described(house, pool=POOL)
    assert (spare["capacityProvider"], spare["wanted"], spare["reservation"]) == ("cp", 2, 200)
    assert spare["waitingTasks"] == 1
    (failed,) = (one for one in spare["machines"] if one["name"] == first.name)
    assert (failed["status"], failed["tries"], failed["reason"]) == ("CREATING", 1, "no credit")
    assert failed["nextTryAt"] > failed["createdAt"]
    again = known_machines(house)[0]
    house.write(lambda call: machine_orders.failed(call.tx, again, "no credit", 2))
    (spare,) = described(house, pool=POOL)
    assert (spare["failures"], spare["reason"]) == (1, "no credit")
    assert spare["retryAt"]
    make(house)
    (spare,) = described(house, pool=POOL)
    assert any(one.get("containerInstanceArn") for one in spare["machines"])
    assert spare["waitingTasks"] == 0


def test_pools_are_their_accounts_alone():
    house = a_house()
    assert described(house, principal=root(OTHER)) == []
    with pytest.raises(Validation, match="no pool spare"):
        described(house, pool=POOL, principal=root(OTHER))


def test_machines_that_were_ordered_together_and_fail_are_one_failure():
    house = a_house(a_rule(size_max=9, size_min=9))
    house.write(lambda call: pools.wake(call.tx, ACCOUNT, REGION, POOL))
    house.settle()
    ordered = known_machines(house)
    assert len(ordered) == 9
    house.clock.advance(seconds(2))
    for machine in ordered:
        house.write(lambda call, one=machine: machine_orders.failed(call.tx, one, "no credit", 1))
    (known,) = described(house)
    assert known["failures"] == 1
    assert known["retryAt"] == pytest.approx(epoch(house.clock.now()) + 60)
    make(house)  # which unmakes them
    house.pass_time(minutes(1))
    again = known_machines(house)
    assert len(again) == 9
    house.write(lambda call: machine_orders.failed(call.tx, again[0], "no credit", 1))
    (known,) = described(house)
    assert known["failures"] == 2


def test_the_host_of_a_machine_that_is_being_unmade_registers_no_more():
    house = a_house(a_rule(size_min=1))
    house.write(lambda call: pools.wake(call.tx, ACCOUNT, REGION, POOL))
    house.settle()
    (machine,) = known_machines(house)
    house.write(lambda call: machine_orders.made(call.tx, machine))
    house.settle()
    house.pass_time(minutes(11))
    assert {one.name: one.status for one in known_machines(house)}[machine.name] == "DESTROYING"
    with pytest.raises(ClientException, match="came too late: its pool spare is unmaking it"):
        a_host(house, machine.name)
    house.write(lambda call: machine_orders.destroyed(call.tx, machine))
    house.settle()
    assert not live_hosts(house)
