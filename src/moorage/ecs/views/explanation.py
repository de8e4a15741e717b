"""Explanations as our own operations show them."""

from collections.abc import Iterable

from moorage.ecs.rules.explanation.filters import Funnel
from moorage.ecs.rules.explanation.host import HostExplanation
from moorage.ecs.rules.explanation.waits import Wait
from moorage.ecs.rules.task.ending import Cause
from moorage.ground.instant import maybe_epoch
from moorage.shapes.moorage import explanation as shapes
from moorage.shapes.moorage.post_mortem import Cause as CauseShape


def outlook(found: Funnel) -> shapes.PlacementOutlook:
    """What the hosts say to one more task."""
    return shapes.PlacementOutlook(
        summary=found.sentence,
        hosts=found.hosts,
        takers=list(found.takers),
        filters=[
            shapes.PlacementFilter(
                name=one.name, asked=one.asked, refused=one.refused, hosts=list(one.hosts)
            )
            for one in found.filters
        ],
        closest=found.closest or None,
        lacks=found.lacks or None,
    )


def waits(found: Iterable[Wait]) -> list[shapes.Wait]:
    """What is waited for."""
    return [shapes.Wait(text=one.text, until=maybe_epoch(one.until)) for one in found]


def causes(found: Iterable[Cause]) -> list[CauseShape]:
    """A chain of causes."""
    return [CauseShape(at=maybe_epoch(one.at), text=one.text) for one in found]


def resources(found: HostExplanation) -> list[shapes.HostResource]:
    """What a host has and has promised."""
    return [
        shapes.HostResource(name=one.name, has=one.has, promised=one.promised, left=one.left)
        for one in found.resources
    ]


def held(found: HostExplanation) -> list[shapes.HeldTask]:
    """Each live task with what it was promised."""
    return [
        shapes.HeldTask(
            task_arn=one.task.arn,
            owner=one.whose,
            last_status=one.task.last_status,
            desired_status=one.task.desired_status,
            cpu=one.task.reserved.cpu,
            memory=one.task.reserved.memory,
            gpus=one.task.reserved.gpus or None,
            ports=list(one.ports),
        )
        for one in found.holdings
    ]
