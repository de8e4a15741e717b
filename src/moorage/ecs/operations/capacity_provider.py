"""Capacity providers: Create, Update, Delete and DescribeCapacityProviders.

An Auto Scaling group is a pool of hosts of the operator's settings: `autoScalingGroupArn` is the
pool's name, or an ARN that ends in it. FARGATE and FARGATE_SPOT are not shown: nothing runs there.
"""

from collections.abc import Sequence

from moorage.ecs.records.capacity_provider import CapacityProvider
from moorage.ecs.rules.capacity.provider import (
    completed,
    group_named,
    refuse_create,
    refuse_group,
    refuse_update,
    updated,
)
from moorage.ecs.rules.tags import refuse_tags
from moorage.ecs.store import capacity, capacity_providers, clusters
from moorage.ecs.views import capacity_provider as views
from moorage.ecs.views.refusal import heed
from moorage.ground.arn import is_arn, make_arn
from moorage.ground.record import evolve
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.kernel.paging import Listing
from moorage.shapes.ecs import capacity_provider as shapes
from moorage.shapes.ecs.failure import Failure
from moorage.shapes.ecs.faults import (
    ClientException,
    InvalidParameterException,
    LimitExceededException,
)

DESCRIBED_MAX = 100
PAGE_LENGTH = 10
# Of one account and region, those of the last day that were deleted among them: as many as a
# hundred clusters may have of their own.
PROVIDERS_MAX = 2000


@operation()
def create_capacity_provider(
    call: Call, request: shapes.CreateCapacityProviderRequest
) -> shapes.CreateCapacityProviderResponse:
    """Make a provider of a pool of hosts; the pool's hosts are its own from then on.

    Raises ClientException for a pool that is not in the settings, or has a provider already.
    """
    heed(refuse_create(request))
    heed(refuse_tags(request.tags))
    assert request.auto_scaling_group_provider is not None, "refuse_create looked"
    name, group = request.name or "", completed(request.auto_scaling_group_provider)
    found = capacity_providers.get(call.tx, call, name)
    if found is not None and found.status == "ACTIVE":
        raise ClientException(
            "A capacity provider with the specified name already exists. Specify a unique name "
            "and try again."
        )
    capacity_providers.forget_deleted(call.tx, call)
    if found is None and capacity_providers.count(call.tx, call) >= PROVIDERS_MAX:
        raise LimitExceededException(
            f"An account has at most {PROVIDERS_MAX} capacity providers in a region."
        )
    pool = _pool(call, group.auto_scaling_group_arn or "")
    if capacity_providers.of_pool(call.tx, call, pool) is not None:
        raise ClientException(
            "The specified Auto Scaling group ARN is already being used by another capacity "
            "provider. Specify a unique Auto Scaling group ARN and try again."
        )
    provider = CapacityProvider(
        account=call.account,
        region=call.region,
        name=name,
        arn=make_arn("capacity-provider", call.region, call.account, name),
        pool=pool,
        group=group,
        status="ACTIVE",
        update_status="CREATE_COMPLETE",
        created_at=call.now,
        tags=request.tags or [],
    )
    capacity_providers.put(call.tx, provider)
    capacity.adopt(call.tx, call, pool, name)
    return shapes.CreateCapacityProviderResponse(
        capacity_provider=views.view(provider, (views.TAGS,))
    )


@operation()
def update_capacity_provider(
    call: Call, request: shapes.UpdateCapacityProviderRequest
) -> shapes.UpdateCapacityProviderResponse:
    """Change managed scaling, termination protection or draining; what is left out stays."""
    heed(refuse_update(request))
    provider = _needed(call, request.name or "")
    assert request.auto_scaling_group_provider is not None, "refuse_update looked"
    group = updated(provider.group, request.auto_scaling_group_provider)
    heed(refuse_group(group))
    provider = evolve(provider, group=group, update_status="UPDATE_COMPLETE")
    capacity_providers.put(call.tx, provider)
    return shapes.UpdateCapacityProviderResponse(
        capacity_provider=views.view(provider, (views.TAGS,))
    )


@operation()
def delete_capacity_provider(
    call: Call, request: shapes.DeleteCapacityProviderRequest
) -> shapes.DeleteCapacityProviderResponse:
    """Delete a provider that no cluster has any more; it stays describable, INACTIVE, for a day.

    Its hosts stay where they are and belong to no provider.
    """
    if request.cluster:
        raise InvalidParameterException("cluster is for managed instances providers.")
    provider = _needed(call, request.capacity_provider or "")
    holders = clusters.with_provider(call.tx, call, provider.name)
    if holders:
        raise ClientException(
            "The capacity provider cannot be deleted because it is associated with cluster: "
            f"{', '.join(holders)}. Remove the capacity provider from the cluster and try again."
        )
    deleted = evolve(
        provider, status="INACTIVE", update_status="DELETE_COMPLETE", deleted_at=call.now
    )
    capacity_providers.put(call.tx, deleted)
    capacity.adopt(call.tx, call, provider.pool, "")
    return shapes.DeleteCapacityProviderResponse(
        capacity_provider=views.view(deleted, (views.TAGS,))
    )


@operation(reads=True)
def describe_capacity_providers(
    call: Call, request: shapes.DescribeCapacityProvidersRequest
) -> shapes.DescribeCapacityProvidersResponse:
    """Describe providers by name or ARN, those of a cluster, or all, ten a page."""
    listing = Listing(
        call, request, limit=PAGE_LENGTH, most=PAGE_LENGTH, refused=InvalidParameterException
    )
    include = request.include or ()
    associated = None
    if request.cluster:
        associated = clusters.active(call.tx, call, request.cluster).capacity_providers
    if request.capacity_providers:
        return _described(call, request.capacity_providers, associated, include)
    if associated is None:
        found = capacity_providers.page(call.tx, call, listing.after, listing.limit + 1)
    else:
        known = capacity_providers.active(call.tx, call, associated)
        found = [one for name, one in sorted(known.items()) if name > (listing.after or "")]
    shown, following = listing.cut(found, lambda one: one.name)
    return shapes.DescribeCapacityProvidersResponse(
        capacity_providers=[views.view(one, include) for one in shown],
        failures=[],
        next_token=following,
    )


def _described(
    call: Call, texts: Sequence[str], associated: Sequence[str] | None, include: Sequence[str]
) -> shapes.DescribeCapacityProvidersResponse:
    if len(texts) > DESCRIBED_MAX:
        raise InvalidParameterException(
            f"Capacity providers cannot have more than {DESCRIBED_MAX} elements."
        )
    shown: list[shapes.CapacityProvider] = []
    missing: list[Failure] = []
    for text in texts:
        found = capacity_providers.find(call.tx, call, text)
        if found is None or (associated is not None and found.name not in associated):
            arn = (
                text
                if is_arn(text)
                else make_arn("capacity-provider", call.region, call.account, text)
            )
            missing.append(Failure(arn=arn, reason="MISSING"))
        else:
            shown.append(views.view(found, include))
    return shapes.DescribeCapacityProvidersResponse(capacity_providers=shown, failures=missing)


def _needed(call: Call, text: str) -> CapacityProvider:
    found = capacity_providers.find(call.tx, call, text)
    if found is None or found.status != "ACTIVE":
        raise ClientException(
            "The specified capacity provider does not exist. Specify a valid name or ARN and try "
            "again."
        )
    return found


def _pool(call: Call, text: str) -> str:
    """The pool that an ARN or a name means; raises ClientException where the settings have none."""
    group = group_named(text)
    foreign = group is not None and (
        (group.account or call.account, group.region or call.region) != (call.account, call.region)
    )
    if group is None or foreign or call.site.pool(call.account, call.region, group.pool) is None:
        known = sorted(
            one.name
            for one in call.site.pools
            if (one.account, one.region) == (call.account, call.region)
        )
        raise ClientException(
            "The specified Auto Scaling group ARN is not valid: it names no pool of hosts of this "
            f"account in {call.region}. Pools are tables [pools.NAME] of the server's settings; "
            f"there {'are ' + ', '.join(known) if known else 'is none'}."
        )
    return group.pool
