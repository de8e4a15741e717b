"""RegisterContainerInstance: a host becomes part of a cluster, or says that it is back."""

from collections.abc import Sequence

from moorage.acs.messages import CAPABILITY_OF_OUR_AGENT
from moorage.ecs.records.cluster import Cluster
from moorage.ecs.records.container_instance import ContainerInstance, InstanceAttribute
from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.attribute import registered
from moorage.ecs.rules.custom_resource import (
    custom_resources,
    refuse_custom_resources,
    refuse_devices,
)
from moorage.ecs.rules.joining import SECOND_AGENT, is_second
from moorage.ecs.rules.tags import refuse_tags
from moorage.ecs.store import capacity, clusters, container_instances, machines, tasks
from moorage.ecs.views import container_instance as views
from moorage.ecs.views.refusal import heed
from moorage.ground.arn import make_arn
from moorage.ground.fault import AccessDenied, Throttling
from moorage.ground.instant import Instant
from moorage.ground.names import ATTRIBUTE_NAME, ATTRIBUTE_VALUE
from moorage.ground.record import evolve
from moorage.iam.keys import bind
from moorage.kernel.call import Call
from moorage.kernel.operation import HOSTS, operation
from moorage.shapes.ecs import container_instance as shapes
from moorage.shapes.ecs.attribute import Attribute
from moorage.shapes.ecs.faults import (
    ClientException,
    InvalidParameterException,
)

INSTANCE_ID_DIGITS = 32
ATTRIBUTES_MAX = 500
PORT_MAX = 65_535
CLIENT_TOKEN_LENGTH_MAX = 64
VERSION_LENGTH_MAX = 255


def the_instance(call: Call, request: shapes.RegisterContainerInstanceRequest) -> Sequence[str]:
    """The host that registers again; a new one names nothing yet."""
    del call  # an ARN needs no looking up
    arn = request.container_instance_arn
    return (arn,) if arn else ()


@operation(callers=HOSTS, resource=the_instance)
def register_container_instance(
    call: Call, request: shapes.RegisterContainerInstanceRequest
) -> shapes.RegisterContainerInstanceResponse:
    """Register a host, new or by its ARN; the caller's key is bound to it from then on.

    A client token that returns, a key that is bound, and the name of a live host lead to the host
    that is there already, so that a host whose answer or whose state was lost is not counted
    twice. Every attribute that was sent comes back, but for custom ones of a host that registers
    again by its ARN; identity documents prove nothing here and are not read. Raises ClientException
    for a host that was deregistered (it must join again), and for a machine that its pool unmakes;
    Throttling for a second agent with the identity of a host whose first agent is here.
    """
    cluster = _cluster(call, request)
    heed(refuse_tags(request.tags))
    resources = _resources(call, request)
    custom = custom_resources(request.total_resources or ())
    heed(refuse_custom_resources(custom) or refuse_devices(request.platform_devices or ()))
    attributes = _attributes(request.attributes or [])
    found = _known(call, cluster, request)
    if found is None:
        _refuse_unmade(call, cluster)
        instance = _new(call, cluster, request)
        instance = capacity.pooled(
            call.tx,
            evolve(instance, resources=resources, custom_resources=custom, attributes=attributes),
        )
        container_instances.create(call.tx, instance)
    else:
        again = bool(request.container_instance_arn)
        instance = container_instances.write(
            call.tx,
            evolve(
                capacity.pooled(call.tx, found),
                resources=resources,
                custom_resources=custom,
                attributes=registered(found, attributes, again=again),
                access_key_id=call.principal.access_key_id,
                client_token=request.client_token or found.client_token,
                key_rotation_asked_at=_asked(call, found),
                **_versions(request),
            ),
        )
        if not request.container_instance_arn:
            _send_everything_again(call, instance)
    machines.joined(call.tx, instance)
    bind(call.tx, call.principal.access_key_id, instance.arn)
    live = tasks.live_of_instance(call.tx, instance.arn)
    shown = views.view(instance, live, (views.TAGS,))
    return shapes.RegisterContainerInstanceResponse(container_instance=shown)


def _cluster(call: Call, request: shapes.RegisterContainerInstanceRequest) -> Cluster:
    own = call.principal.cluster
    cluster = clusters.active(call.tx, call, request.cluster or own)
    if own and cluster.name != own:
        raise AccessDenied(f"This host joined the cluster {own}, not {cluster.name}.")
    return cluster


def _refuse_unmade(call: Call, cluster: Cluster) -> None:
    """Raise ClientException for a machine that is being unmade: its host would outlive it."""
    name = call.principal.name
    machine = machines.of_name(call.tx, cluster.arn, name) if name else None
    if machine is not None and machine.status == "DESTROYING":
        raise ClientException(
            f"The machine {name} came too late: its pool {machine.pool} is unmaking it, and no host "
            "of it may register any more."
        )


def _known(
    call: Call, cluster: Cluster, request: shapes.RegisterContainerInstanceRequest
) -> ContainerInstance | None:
    """The host that this one already is, or None where it is new."""
    token = request.client_token or ""
    if len(token) > CLIENT_TOKEN_LENGTH_MAX:
        raise InvalidParameterException(
            f"A client token has at most {CLIENT_TOKEN_LENGTH_MAX} characters."
        )
    arn = request.container_instance_arn or call.principal.instance
    if arn:
        found = container_instances.find(call.tx, call, arn, cluster.name)
        if found is None or found.status == "INACTIVE":
            raise ClientException(
                f"The container instance {arn} was deregistered, or never was in the cluster "
                f"{cluster.name}. Join again with a new token."
            )
        is_ours = any(one.name == CAPABILITY_OF_OUR_AGENT for one in request.attributes or ())
        if is_second(found, token, is_ours=is_ours):
            raise Throttling(SECOND_AGENT)
        return found
    by_token = container_instances.of_token(call.tx, cluster.arn, token) if token else None
    if by_token is not None and by_token.name == call.principal.name:
        return by_token
    name = call.principal.name
    by_name = container_instances.of_name(call.tx, cluster.arn, name) if name else None
    if by_name is not None and by_name.access_key_id != call.principal.access_key_id:
        _refuse_if_here(by_name)
    return by_name


def _refuse_if_here(namesake: ContainerInstance) -> None:
    """Two machines of one name would take each other's tasks: one joins only when one is gone.

    A connection that was merely cut, as by a restart of this server, is no sign of that: else
    whoever holds any join token could choose another host's name, and that moment.
    """
    if namesake.connected:
        raise ClientException(
            f"A host named {namesake.name} is connected to the cluster {namesake.cluster} already. "
            "Join with another name (moorage agent --name), or stop that one first."
        )
    if namesake.disconnection == "closed" and namesake.lost_at is None:
        raise Throttling(
            f"A host named {namesake.name} was here a moment ago. This one takes its place as soon "
            "as that one is taken for lost; try again."
        )


def _new(
    call: Call, cluster: Cluster, request: shapes.RegisterContainerInstanceRequest
) -> ContainerInstance:
    identity = call.chance.hex(INSTANCE_ID_DIGITS)
    instance = ContainerInstance(
        account=call.account,
        region=call.region,
        cluster=cluster.name,
        id=identity,
        arn=make_arn("container-instance", call.region, call.account, cluster.name, identity),
        name=call.principal.name,
        status="ACTIVE",
        registered_at=call.now,
        resources=Resources(),
        access_key_id=call.principal.access_key_id,
        client_token=request.client_token or "",
        tags=request.tags or [],
    )
    return evolve(instance, **_versions(request))


def _versions(request: shapes.RegisterContainerInstanceRequest) -> dict[str, str]:
    told = request.version_info
    versions = {
        "agent_version": told.agent_version if told else None,
        "agent_hash": told.agent_hash if told else None,
        "docker_version": told.docker_version if told else None,
    }
    return {name: text[:VERSION_LENGTH_MAX] for name, text in versions.items() if text}


def _resources(call: Call, request: shapes.RegisterContainerInstanceRequest) -> Resources:
    by_name = {one.name or "": one for one in request.total_resources or ()}
    gpus = tuple(device.id or "" for device in request.platform_devices or ())
    return Resources(
        cpu=_amount(by_name, "CPU"),
        memory=_amount(by_name, "MEMORY"),
        ports=_ports(by_name, "PORTS", call.site.reserved_ports),
        ports_udp=_ports(by_name, "PORTS_UDP", ()),
        gpus=len(gpus),
        gpu_ids=gpus,
    )


def _amount(resources: dict[str, shapes.Resource], name: str) -> int:
    found = resources.get(name)
    amount = found.integer_value if found else None
    if amount is None or amount < 0:
        raise InvalidParameterException(f"totalResources has no INTEGER {name}.")
    return amount


def _ports(
    resources: dict[str, shapes.Resource], name: str, reserved: tuple[int, ...]
) -> tuple[int, ...]:
    found = resources.get(name)
    texts = (found.string_set_value if found else None) or []
    if any(not text.isascii() or not text.isdigit() or int(text) > PORT_MAX for text in texts):
        raise InvalidParameterException(f"{name} are numbers from 0 to {PORT_MAX}.")
    return tuple(sorted({*(int(text) for text in texts), *reserved}))


def _attributes(given: list[Attribute]) -> tuple[InstanceAttribute, ...]:
    if len(given) > ATTRIBUTES_MAX:
        raise InvalidParameterException(f"A host has at most {ATTRIBUTES_MAX} attributes.")
    found: dict[str, InstanceAttribute] = {}
    for one in given:
        name, value = one.name or "", one.value
        if not ATTRIBUTE_NAME.fullmatch(name) or (value and not ATTRIBUTE_VALUE.fullmatch(value)):
            raise InvalidParameterException(f"The attribute {name!r} is not well formed.")
        if one.target_type or one.target_id:
            raise InvalidParameterException("A host registers attributes of its own only.")
        if name in found and found[name].value != value:
            raise InvalidParameterException(f"The attribute {name} is given twice.")
        found[name] = InstanceAttribute(name=name, value=value)
    return tuple(found.values())


def _send_everything_again(call: Call, instance: ContainerInstance) -> None:
    """A host that forgot who it is forgot its tasks too: it is told of each of them anew.

    One that ran there already is not ordered again. Our agent finds its containers by their labels,
    or says by the manifest that they are gone, as on another machine in this one's place, where it
    would run a second time.
    """
    ours = instance.attribute(CAPABILITY_OF_OUR_AGENT) is not None
    for task in tasks.live_of_instance(call.tx, instance.arn):
        ran = ours and task.started_at is not None
        acknowledged_at = task.acknowledged_at if ran else None
        tasks.write(
            call.tx, evolve(task, acknowledged_at=acknowledged_at, stop_acknowledged_at=None)
        )


def _asked(call: Call, found: ContainerInstance) -> Instant | None:
    """When a change of key was asked for; over once another key speaks for the host."""
    changed = found.access_key_id != call.principal.access_key_id
    return None if changed else found.key_rotation_asked_at
