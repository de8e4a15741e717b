"""Moorage_V1 ListTimeline: what happened in a cluster, each event with its cause."""

from collections.abc import Mapping, Sequence

from moorage.ecs.records.cluster import Cluster
from moorage.ecs.records.happening import Happening
from moorage.ecs.rules.happenings import KINDS
from moorage.ecs.store import clusters, container_instances, timeline
from moorage.ground.fault import Validation
from moorage.ground.instant import epoch, from_epoch
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.kernel.paging import Listing
from moorage.shapes.moorage import timeline as shapes

PAGE_LENGTH = 100
PAGE_LENGTH_MAX = 1000
SUBJECTS = frozenset(kind.partition("-")[0] for kind in KINDS)


@operation(reads=True)
def list_timeline(call: Call, request: shapes.ListTimelineRequest) -> shapes.ListTimelineResponse:
    """List the events of a cluster, newest first.

    Raises Validation for a kind that is none, and for a host that nobody knows.
    """
    listing = Listing(call, request, limit=PAGE_LENGTH, most=PAGE_LENGTH_MAX, refused=Validation)
    cluster = clusters.active(call.tx, call, request.cluster)
    filters = {"cluster": cluster.arn, **_kind(request.kind)}
    if request.service:
        filters["service"] = request.service.rpartition("/")[2]
    hosts = _hosts(call, cluster, request.host) if request.host else None
    found = timeline.page(call.tx, filters, listing.after, listing.limit + 1, hosts)
    if request.since is not None:
        oldest = timeline.before(from_epoch(request.since))
        found = [one for one in found if one.moment < f"{oldest}~"]
    shown, following = listing.cut(found, lambda one: one.moment)
    return shapes.ListTimelineResponse(events=_shown(call, cluster, shown), next_token=following)


def _kind(text: str | None) -> Mapping[str, str]:
    if not text:
        return {}
    if text in SUBJECTS:
        return {"subject": text}
    if text in KINDS:
        return {"kind": text}
    raise Validation(
        f"There is no kind {text}. One of the subjects {', '.join(sorted(SUBJECTS))}, or of the "
        f"kinds {', '.join(KINDS)}."
    )


def _hosts(call: Call, cluster: Cluster, text: str) -> list[str]:
    """The ARNs of a host by its name, its id or an ARN; of a name also those that have left."""
    found = container_instances.called(call.tx, call, text, cluster.name)
    asked = container_instances.arn_of(call, text, cluster.name)
    arns = [
        one.instance
        for one in timeline.left(call.tx, cluster.arn)
        if text == one.host or asked == one.instance
    ]
    arns += [found.arn] if found is not None else []
    if not arns:
        raise Validation(f"The cluster {cluster.name} has no host {text}, and had none lately.")
    return arns


def _shown(call: Call, cluster: Cluster, found: Sequence[Happening]) -> list[shapes.TimelineEvent]:
    arns = {one.instance for one in found if one.instance}
    hosts = container_instances.named(call.tx, arns) if arns else {}
    names = {arn: one.name or one.id for arn, one in hosts.items()}
    if not names.keys() >= arns:
        told = {one.instance: one.host for one in timeline.left(call.tx, cluster.arn) if one.host}
        names = {**told, **names}
    return [
        shapes.TimelineEvent(
            at=epoch(one.at),
            kind=one.kind,
            text=one.text,
            cause=one.cause or None,
            service=one.service or None,
            host=names.get(one.instance) or one.instance.rpartition("/")[2] or None,
            container_instance_arn=one.instance or None,
            task=one.task or None,
            deployment=one.deployment or None,
            position=one.moment,
        )
        for one in found
    ]
