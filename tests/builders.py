"""Readable beginnings for tests of the cluster's house: a house, hosts, definitions, services.

`EcsHouse.ask` calls an operation as the gateway does: JSON in, constraints, authorization, one
transaction, JSON out. Members are written as on the wire.
"""

from typing import Any

import msgspec
import pytest

from moorage.ecs import api
from moorage.ecs.operations.session import Hello
from moorage.ecs.store import clusters
from moorage.ecs.store.view import untrue
from moorage.ground.fault import Fault
from moorage.ground.instant import Duration, seconds
from moorage.ground.principal import Principal
from moorage.iam import api as iam
from moorage.iam.authorize import authorize
from moorage.iam.keys import Holder, issue
from moorage.kernel.agenda import Agenda
from moorage.kernel.call import Turn
from moorage.kernel.images import IMAGE_CLAIMS, TAG_DIGESTS
from moorage.kernel.perform import KEPT_ANSWERS, check, perform
from moorage.sql.engine import open_database
from moorage.sql.transaction import Transaction
from moorage.wire import json11
from tests.house import ACCOUNT, OTHER, REGION, House, root

TABLES = (KEPT_ANSWERS, TAG_DIGESTS, IMAGE_CLAIMS, *iam.TABLES, *api.TABLES)
TURNS_MAX = 10_000
# Named by its digest, so that no pilot goes before.
IMAGE = f"demo@sha256:{'1' * 64}"
CAPABILITIES = (
    "moorage.capability.agent",
    "com.amazonaws.ecs.capability.docker-remote-api.1.18",
    "com.amazonaws.ecs.capability.docker-remote-api.1.21",
    "com.amazonaws.ecs.capability.ecr-auth",
    "ecs.capability.execution-role-ecr-pull",
    "ecs.capability.container-health-check",
)


class EcsHouse(House):
    """A database with the cluster's tables, its operations and its controllers."""

    def __init__(self, url: str = "", **site: Any) -> None:
        super().__init__(TABLES, **{"settle": seconds(0), **site})
        if url:
            self.database.close()
            self.database = open_database(url, clock=self.clock, chance=self.chance, tables=TABLES)
        self.agenda = Agenda()
        self.controllers = {one.name: one for one in api.CONTROLLERS}
        self.database.watch(self._changed)

    def _changed(self, changes: Any) -> None:
        self.agenda.wake(
            (one.name, change.key)
            for change in changes
            for one in api.CONTROLLERS
            if one.kind == change.kind
        )

    def ask(self, action: str, /, by: Principal | None = None, **members: Any) -> dict[str, Any]:
        """Call an operation; the answer is what the client reads."""
        operation = api.ECS.operations[action]
        region = members.pop("in_region", REGION)
        request = json11.decode(msgspec.json.encode(members), operation.request)
        check(api.ECS, request)
        principal = by or root()
        answer = (self.write if operation.writes else self.read)(
            lambda call: perform(call, operation, request, authorize),
            principal=principal,
            region=region,
            operation=operation.name,
        )
        return msgspec.json.decode(msgspec.json.encode(answer))

    def refused(
        self, action: str, code: str, /, by: Principal | None = None, **members: Any
    ) -> str:
        """Call an operation that must refuse with `code`; answers its sentence."""
        with pytest.raises(Fault) as caught:
            self.ask(action, by=by, **members)
        assert caught.value.code == code, caught.value
        assert caught.value.status == 400
        assert caught.value.message
        return caught.value.message

    def settle(self) -> int:
        """Run every controller that is due, and those that they wake; answers how many turns."""
        turns = 0
        while self.agenda.is_due or self._rings():
            for key in self.agenda.take(self.clock.now(), 16):
                self.agenda.finish(key, self.turn(*key))
                turns += 1
            assert turns < TURNS_MAX, "the controllers never come to rest"
        assert not self.database.write(untrue_anywhere).result()
        return turns

    def turn(self, name: str, key: str) -> Any:
        """One turn of one controller."""
        return self.database.write(
            lambda tx: self.controllers[name](Turn(tx=tx, site=self.site), key)
        ).result()

    def pass_time(self, duration: Duration) -> None:
        """Let time go by, stopping wherever a controller wants to look."""
        until = self.clock.now() + duration
        while (look := self.agenda.next_look()) is not None and look < until:
            self.clock.advance(Duration(max(0, look - self.clock.now())))
            self.settle()
        self.clock.advance(Duration(max(0, until - self.clock.now())))
        self.settle()

    def _rings(self) -> bool:
        look = self.agenda.next_look()
        return look is not None and look <= self.clock.now()

    def host_key(self, name: str = "host-1", cluster: str = "default") -> Principal:
        """A key as joining gives it, bound to no instance yet."""
        key, _ = self.write(
            lambda call: issue(
                call.tx,
                call.vault,
                Holder(account=ACCOUNT, kind="host", name=name, region=REGION, cluster=cluster),
            )
        )
        return Principal(
            kind="host", account=ACCOUNT, name=name, access_key_id=key.id, cluster=cluster
        )


def bound(key: Principal, instance: str) -> Principal:
    """The key as it is once it has registered an instance."""
    return msgspec.structs.replace(key, instance=instance)


def resources(cpu: int = 4096, memory: int = 8192, ports: tuple[int, ...] = (22,)) -> list[Any]:
    """`totalResources` of a host."""
    return [
        {"name": "CPU", "type": "INTEGER", "integerValue": cpu},
        {"name": "MEMORY", "type": "INTEGER", "integerValue": memory},
        {"name": "PORTS", "type": "STRINGSET", "stringSetValue": [str(port) for port in ports]},
        {"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": []},
    ]


def a_host(
    house: EcsHouse, name: str = "host-1", *, connect: bool = True, zone: str = "", **size: Any
) -> Principal:
    """A registered (and connected) host; answers its key, which names its instance."""
    cluster = size.pop("cluster", "default")
    key = house.host_key(name, cluster)
    attributes = [{"name": one} for one in CAPABILITIES]
    attributes += [{"name": "ecs.availability-zone", "value": zone}] if zone else []
    answer = house.ask(
        "RegisterContainerInstance",
        by=key,
        cluster=cluster,
        totalResources=resources(**size),
        attributes=attributes,
    )
    key = bound(key, answer["containerInstance"]["containerInstanceArn"])
    if connect:
        connect_host(house, key)
    return key


def connect_host(house: EcsHouse, key: Principal) -> None:
    """Its websocket opens."""
    refusal = house.write(
        lambda call: api.AGENT.connected(call, key.instance, Hello(agent_version="1.0.0")),
        principal=key,
    )
    assert refusal is None


def a_container(**members: Any) -> dict[str, Any]:
    """One container definition, as on the wire."""
    return {"name": "web", "image": IMAGE, "cpu": 256, "memory": 512, **members}


def a_definition(house: EcsHouse, family: str = "web", **members: Any) -> str:
    """A registered definition; answers `family:revision`."""
    containers = members.pop("containerDefinitions", None) or [
        a_container(**members.pop("container", {}))
    ]
    answer = house.ask(
        "RegisterTaskDefinition", family=family, containerDefinitions=containers, **members
    )
    return answer["taskDefinition"]["taskDefinitionArn"].rpartition("/")[2]


def a_service(house: EcsHouse, name: str = "web", count: int = 1, **members: Any) -> dict[str, Any]:
    """A created service, as CreateService shows it."""
    definition = members.pop("taskDefinition", None) or a_definition(house)
    return house.ask(
        "CreateService",
        serviceName=name,
        desiredCount=count,
        taskDefinition=definition,
        **members,
    )["service"]


def a_task(house: EcsHouse, **members: Any) -> dict[str, Any]:
    """One task that RunTask has started."""
    definition = members.pop("taskDefinition", None) or a_definition(house)
    (task,) = house.ask("RunTask", taskDefinition=definition, **members)["tasks"]
    return task


def untrue_anywhere(tx: Transaction) -> list[str]:
    """What is kept of clusters from write to write, and is not what their rows say."""
    return [arn for cluster in clusters.every(tx) for arn in untrue(tx, cluster)]


__all__ = ["ACCOUNT", "OTHER", "REGION", "EcsHouse", "root"]
