"""A cluster on one page: hosts with zones, services with tasks on them, and what is asked."""

from collections import Counter

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.view import claim_of, cluster_view
from moorage.ecs.rules.rebalancing.case import Case
from moorage.ecs.rules.rebalancing.field import Field
from moorage.ecs.rules.rebalancing.plan import Question, plan
from moorage.ecs.rules.rebalancing.tally import Tally, tally
from moorage.ground.instant import Duration, Instant, earlier, hours, seconds
from moorage.ground.record import evolve
from moorage.shapes.ecs.tag import Tag
from tests.ecs.rules.builders import (
    ARN,
    CLUSTER,
    NOW,
    a_service,
    a_task,
    an_instance,
    instance_arn,
    running,
)

LONG_AGO = earlier(NOW, hours(1))
SETTLING = seconds(60)


class Scene:
    """Hosts and services, built by calls; `plan` asks."""

    def __init__(self) -> None:
        self.hosts = {}
        self.services = {}
        self.tasks = []
        self.freezes = {}
        self.distinct = False

    def host(self, name: str, **more) -> "Scene":
        given = {"ready_at": LONG_AGO, "connected_at": LONG_AGO, **more}
        self.hosts[name] = an_instance(name, **given)
        return self

    def service(self, name: str, places: dict[str, int], **more) -> "Scene":
        """A steady service with so many tasks on each host."""
        protected = more.pop("protected", 0)
        arn = f"{ARN}:service/{CLUSTER}/{name}"
        service = a_service(sum(places.values()), **{"steady_at": LONG_AGO, **more})
        self.services[name] = evolve(service, name=name, arn=arn)
        for host, count in places.items():
            for _ in range(count):
                self.task(name, host, protected=protected > 0)
                protected -= 1
        return self

    def task(self, service: str, host: str, *, protected: bool = False, **more) -> None:
        given = {
            "service": more.pop("owner", self.services[service].arn),
            "group": f"service:{service}",
            "zone": self.hosts[host].zone,
            "protected_until": Instant(NOW + 1) if protected else None,
            **more,
        }
        task = a_task(f"t{len(self.tasks):03}", host=host, **given)
        self.tasks.append(running(task, LONG_AGO))

    def tally(self) -> Tally:
        return tally({task.arn: claim_of(task) for task in self.tasks})

    def cases(self) -> list[Case]:
        counted = self.tally()
        return [
            Case(
                service=service,
                on=counted.on.get(f"service:{name}", {}),
                moves=counted.moves.get(f"service:{name}", 0),
                tasks=tuple(one for one in self.tasks if one.service == service.arn),
                wants=Wants(
                    needs=Resources(cpu=256, memory=512),
                    group=f"service:{name}",
                    distinct=self.distinct,
                ),
                freeze=self.freezes.get(name),
            )
            for name, service in self.services.items()
        ]

    def field(self, settling: Duration = SETTLING) -> Field:
        view = cluster_view(self.hosts.values(), self.tasks)
        return Field(view, self.tally().totals, settling, NOW)

    def plan(self, moves_max: int = 100, *, whole: bool = True, settling: Duration = SETTLING):
        question = Question(now=NOW, moves_max=moves_max, pause=seconds(10), whole=whole)
        return plan(self.cases(), self.field(settling), question)

    def apply(self, outcome) -> None:
        """Let every move be done."""
        targets = {one.step.task.arn: one.step.target for one in outcome.moves}
        by_arn = {host.arn: host for host in self.hosts.values()}
        self.tasks = [
            evolve(task, instance=targets[task.arn], zone=by_arn[targets[task.arn]].zone)
            if task.arn in targets
            else task
            for task in self.tasks
        ]

    def places(self, service: str) -> dict[str, int]:
        """How many tasks of a service each host has that has any."""
        names = {instance_arn(name): name for name in self.hosts}
        arn = self.services[service].arn
        return dict(Counter(names[one.instance] for one in self.tasks if one.service == arn))


def tagged(value: str) -> list[Tag]:
    return [Tag(key="moorage:rebalance", value=value)]
