"""PutAttributes, DeleteAttributes, ListAttributes: what an owner writes on hosts, for placement."""

from collections.abc import Iterator, Mapping, Sequence

from moorage.ecs.records.container_instance import ContainerInstance, InstanceAttribute
from moorage.ecs.rules.attribute import (
    CUSTOM_MAX,
    refuse_attributes,
    with_custom,
    without_custom,
)
from moorage.ecs.store import clusters, container_instances, rebalances
from moorage.ecs.views.refusal import heed
from moorage.ground.record import Record
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.kernel.paging import Listing
from moorage.shapes.ecs import attribute as shapes
from moorage.shapes.ecs.faults import (
    AttributeLimitExceededException,
    InvalidParameterException,
    TargetNotFoundException,
)
from moorage.sql.transaction import Transaction

PAGE_LENGTH = 100
_INSTANCES_AT_ONCE = 100


class _Found(Record):
    """One attribute of one host, and the key by which it stands in a list."""

    instance: ContainerInstance
    attribute: InstanceAttribute

    @property
    def key(self) -> str:
        return f"{self.instance.arn} {self.attribute.name}"


@operation()
def put_attributes(
    call: Call, request: shapes.PutAttributesRequest
) -> shapes.PutAttributesResponse:
    """Put up to ten custom attributes on hosts, or replace their values; all of them or none.

    Placement sees them at once; services that wait for room, and the balance of the cluster, are
    looked at again.
    """
    given = request.attributes or []
    heed(refuse_attributes(given))
    cluster = clusters.active(call.tx, call, request.cluster)
    targets = _targets(call, cluster.name, given)
    wanted: dict[str, dict[str, str | None]] = {}
    for one, target in zip(given, targets, strict=True):
        values = wanted.setdefault(target.arn, {})
        name = one.name or ""
        if values.setdefault(name, one.value) != one.value:
            raise InvalidParameterException(f"The attribute {name} is given twice.")
    by_arn = {target.arn: target for target in targets}
    for arn, values in wanted.items():
        after = with_custom(by_arn[arn], values)
        if after is None:
            raise AttributeLimitExceededException(
                f"The container instance {arn} would have more than {CUSTOM_MAX} custom "
                "attributes. Remove some with DeleteAttributes."
            )
        if after != by_arn[arn]:
            container_instances.write(call.tx, after)
            rebalances.wake(call.tx, cluster.arn)
    return shapes.PutAttributesResponse(
        attributes=[
            shapes.Attribute(name=one.name, value=one.value, target_id=target.arn)
            for one, target in zip(given, targets, strict=True)
        ]
    )


@operation()
def delete_attributes(
    call: Call, request: shapes.DeleteAttributesRequest
) -> shapes.DeleteAttributesResponse:
    """Take up to ten custom attributes from hosts; answers those that were there.

    One that is given with a value goes only where the host has that value.
    """
    given = request.attributes or []
    heed(refuse_attributes(given))
    cluster = clusters.active(call.tx, call, request.cluster)
    targets = _targets(call, cluster.name, given)
    gone: dict[str, dict[str, _Found]] = {}
    for one, target in zip(given, targets, strict=True):
        for has in target.attributes:
            if has.name == one.name and one.value in {None, has.value}:
                found = _Found(instance=target, attribute=has)
                gone.setdefault(target.arn, {})[has.name] = found
    by_arn = {target.arn: target for target in targets}
    for arn, names in gone.items():
        container_instances.write(call.tx, without_custom(by_arn[arn], names))
        rebalances.wake(call.tx, cluster.arn)
    return shapes.DeleteAttributesResponse(
        attributes=[_shown(found) for names in gone.values() for found in names.values()]
    )


@operation(reads=True)
def list_attributes(
    call: Call, request: shapes.ListAttributesRequest
) -> shapes.ListAttributesResponse:
    """List the attributes of the hosts of a cluster, their capabilities among them, by page."""
    listing = Listing(
        call, request, limit=PAGE_LENGTH, most=PAGE_LENGTH, refused=InvalidParameterException
    )
    if request.attribute_value is not None and not request.attribute_name:
        raise InvalidParameterException("attributeValue needs an attributeName.")
    cluster = clusters.active(call.tx, call, request.cluster)
    found: list[_Found] = []
    for one in _listed(call.tx, cluster.arn, listing.after):
        if _asked(request, one.attribute):
            found.append(one)
        if len(found) > listing.limit:
            break
    shown, following = listing.cut(found, lambda one: one.key)
    return shapes.ListAttributesResponse(
        attributes=[_shown(one) for one in shown], next_token=following
    )


def _targets(
    call: Call, cluster: str, given: Sequence[shapes.Attribute]
) -> list[ContainerInstance]:
    """The live host that each attribute is for; raises TargetNotFoundException."""
    arns = [container_instances.arn_of(call, one.target_id or "", cluster) for one in given]
    known: Mapping[str, ContainerInstance] = container_instances.named(
        call.tx, {arn for arn in arns if arn}
    )
    targets: list[ContainerInstance] = []
    for one, arn in zip(given, arns, strict=True):
        target = known.get(arn or "")
        if target is None or target.status not in container_instances.LIVE:
            raise TargetNotFoundException(
                f"The specified target wasn't found: the cluster {cluster} has no container "
                f"instance {one.target_id}."
            )
        targets.append(target)
    return targets


def _listed(tx: Transaction, cluster: str, after: str | None) -> Iterator[_Found]:
    """The attributes after the key `after`, by host and name, read by the page."""
    # The host at which the page before ended may have more; its ARN is after its own beginning.
    bound = after.partition(" ")[0][:-1] if after else None
    more = True
    while more:
        page = container_instances.page(
            tx, cluster, container_instances.LIVE, bound, _INSTANCES_AT_ONCE
        )
        for instance in page:
            for attribute in sorted(instance.attributes, key=lambda one: one.name):
                found = _Found(instance=instance, attribute=attribute)
                if after is None or found.key > after:
                    yield found
        more = len(page) == _INSTANCES_AT_ONCE
        bound = page[-1].arn if page else bound


def _asked(request: shapes.ListAttributesRequest, attribute: InstanceAttribute) -> bool:
    name, value = request.attribute_name, request.attribute_value
    return (not name or attribute.name == name) and (value is None or attribute.value == value)


def _shown(found: _Found) -> shapes.Attribute:
    return shapes.Attribute(
        name=found.attribute.name, value=found.attribute.value, target_id=found.instance.arn
    )
