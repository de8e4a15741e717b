"""A cluster with a pool of hosts whose machines a test makes by hand."""

from typing import Any

from moorage.ecs.records.machine import Machine
from moorage.ecs.store import container_instances, machine_orders, machines, pools
from moorage.ground.instant import minutes
from moorage.ground.principal import Principal
from moorage.iam.store import join_tokens
from moorage.kernel.site import PoolRule
from tests.builders import CAPABILITIES, EcsHouse, bound, connect_host, resources
from tests.house import ACCOUNT, REGION

POOL = "spare"


def a_rule(**members: Any) -> PoolRule:
    """The pool `spare` of the cluster `default`, of none to four hosts."""
    given = {"name": POOL, "account": ACCOUNT, "region": REGION, "size_max": 4} | members
    return PoolRule(**given)


def a_house(*rules: PoolRule, **site: Any) -> EcsHouse:
    """A house with these pools in its settings, or with `spare`."""
    given = rules or (a_rule(),)
    house = EcsHouse(pools=given, **site)
    house.write(lambda call: pools.configure(call.tx, given))
    return house


def a_provider(house: EcsHouse, name: str = "cp", **members: Any) -> dict[str, Any]:
    """A provider of the pool with managed scaling, associated with `default`."""
    scaling = {"status": "ENABLED", "instanceWarmupPeriod": 0} | members.pop("managedScaling", {})
    group = {"autoScalingGroupArn": POOL, "managedScaling": scaling} | members
    shown = house.ask("CreateCapacityProvider", name=name, autoScalingGroupProvider=group)
    known = house.ask("DescribeClusters", clusters=["default"])["clusters"][0]
    house.ask(
        "PutClusterCapacityProviders",
        cluster="default",
        capacityProviders=[*known["capacityProviders"], name],
        defaultCapacityProviderStrategy=[],
    )
    return shown["capacityProvider"]


def known_machines(house: EcsHouse, pool: str = POOL) -> list[Machine]:
    """The machines of a pool, oldest first."""
    found = house.read(lambda call: machines.of_pool(call.tx, ACCOUNT, REGION, pool))
    return sorted(found, key=lambda one: (one.created_at, one.id))


def make(house: EcsHouse, *, cpu: int = 1024, memory: int = 2048) -> list[Principal]:
    """Do what a source does: make what is ordered, unmake what is to go; hosts join at once."""
    made: list[Principal] = []
    for machine in house.read(lambda call: machines.ordered(call.tx)):
        if machine.due_at > house.clock.now():
            continue
        if machine.status == "DESTROYING":
            house.write(lambda call, one=machine: machine_orders.destroyed(call.tx, one))
            continue
        house.write(lambda call, one=machine: machine_orders.made(call.tx, one))
        made.append(join(house, machine.name, cpu=cpu, memory=memory))
    house.settle()
    return made


def join(house: EcsHouse, name: str, *, cpu: int = 1024, memory: int = 2048) -> Principal:
    """The host of a machine registers and connects."""
    key = house.host_key(name)
    answer = house.ask(
        "RegisterContainerInstance",
        by=key,
        cluster="default",
        totalResources=resources(cpu=cpu, memory=memory),
        attributes=[{"name": one} for one in CAPABILITIES],
    )
    key = bound(key, answer["containerInstance"]["containerInstanceArn"])
    connect_host(house, key)
    return key


def a_token(house: EcsHouse, machine: Machine) -> str:
    """The join token of one machine."""
    token = house.write(lambda call: machine_orders.token_for(call.tx, machine, minutes(10)))
    assert token is not None
    assert house.read(lambda call: join_tokens.JOIN_TOKENS.query().count(call.tx))
    return token


def live_hosts(house: EcsHouse) -> list[Any]:
    """The hosts of `default` that are not INACTIVE."""
    arn = house.ask("DescribeClusters", clusters=["default"])["clusters"][0]["clusterArn"]
    return house.read(lambda call: container_instances.live_of_cluster(call.tx, arn))
