"""A deployment under way is stopped, or goes on: StopServiceDeployment, ContinueServiceDeployment.

Both only note what was asked; the service's controller acts on it in its next turn.
"""

from moorage.ecs.records.service import Service
from moorage.ecs.records.service_deployment import DeploymentStatus, PauseHook, ServiceDeployment
from moorage.ecs.rules.deployment import hooks
from moorage.ecs.rules.deployment.status import UNDER_WAY
from moorage.ecs.store import service_deployments, services
from moorage.ecs.store.identity import own_arn
from moorage.ground.record import evolve
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.shapes.ecs import service_deployment as shapes
from moorage.shapes.ecs.faults import (
    ConflictException,
    InvalidParameterException,
    ServiceDeploymentNotFoundException,
)

STOP_TYPES: dict[str, DeploymentStatus] = {
    "ABORT": "STOP_REQUESTED",
    "ROLLBACK": "ROLLBACK_REQUESTED",
}
# Stopping one in these statuses goes on as it is ("Stopping Amazon ECS service deployments").
STOPPING = frozenset({"STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})
NOWHERE = (
    "The service deployment cannot be rolled back: no deployment of the service has completed "
    "before it."
)


@operation()
def stop_service_deployment(
    call: Call, request: shapes.StopServiceDeploymentRequest
) -> shapes.StopServiceDeploymentResponse:
    """Stop a deployment that is under way.

    ROLLBACK, the default, goes back to the last deployment that completed; ABORT leaves all as it
    is, and starts nothing more of it. One that is stopping already goes on doing so.
    """
    stop_type = request.stop_type or "ROLLBACK"
    if stop_type not in STOP_TYPES:
        raise InvalidParameterException(
            f"Invalid stopType {stop_type}. Use one of {', '.join(STOP_TYPES)}."
        )
    deployment = _needed(call, request.service_deployment_arn)
    answer = shapes.StopServiceDeploymentResponse(service_deployment_arn=deployment.arn)
    if deployment.status in STOPPING:
        return answer
    service = services.get(call.tx, deployment.service)
    if service is None or deployment.status not in UNDER_WAY:
        raise ConflictException(
            f"The service deployment is {deployment.status} and can no longer be stopped."
        )
    if deployment.id != service.deployment:
        raise ConflictException(
            "The service deployment can no longer be stopped: a newer one has taken its place."
        )
    if stop_type == "ROLLBACK" and not _goes_back(call, deployment):
        raise ConflictException(f"{NOWHERE} Stop it with the stopType ABORT.")
    _keep(call, service, evolve(deployment, status=STOP_TYPES[stop_type]))
    return answer


@operation()
def continue_service_deployment(
    call: Call, request: shapes.ContinueServiceDeploymentRequest
) -> shapes.ContinueServiceDeploymentResponse:
    """Let a deployment that is paused at a lifecycle hook go on (CONTINUE, the default) or back.

    It goes on when no other hook of the same stage waits.
    """
    action = request.action or "CONTINUE"
    if action not in hooks.ACTIONS:
        raise InvalidParameterException(f"Invalid action {action}. Use CONTINUE or ROLLBACK.")
    deployment = _needed(call, request.service_deployment_arn)
    service = services.get(call.tx, deployment.service)
    if service is None or deployment.status != "IN_PROGRESS":
        raise InvalidParameterException(
            f"The service deployment is {deployment.status}, not IN_PROGRESS."
        )
    if deployment.id != service.deployment or service.status != "ACTIVE":
        why = (
            "a newer one has taken its place"
            if service.status == "ACTIVE"
            else "its service is deleted"
        )
        raise InvalidParameterException(f"The service deployment can no longer go on: {why}.")
    hook = _awaited(deployment, request.hook_id or "")
    if action == "CONTINUE":
        answered = hooks.answered(deployment, hook.id, "SUCCEEDED")
    elif _goes_back(call, deployment):
        answered = evolve(
            hooks.answered(deployment, hook.id, "FAILED"), status="ROLLBACK_REQUESTED"
        )
    else:
        raise InvalidParameterException(f"{NOWHERE} Stop it with StopServiceDeployment and ABORT.")
    _keep(call, service, answered)
    return shapes.ContinueServiceDeploymentResponse(service_deployment_arn=deployment.arn)


def _needed(call: Call, arn: str | None) -> ServiceDeployment:
    """The deployment of that ARN.

    Raises InvalidParameterException for none or a foreign one, ServiceDeploymentNotFoundException.
    """
    if not arn:
        raise InvalidParameterException("The serviceDeploymentArn must be given.")
    own_arn(call, "service-deployment", arn)
    found = service_deployments.named(call.tx, [arn]).get(arn)
    if found is None:
        raise ServiceDeploymentNotFoundException(f"The service deployment {arn} was not found.")
    return found


def _awaited(deployment: ServiceDeployment, hook_id: str) -> PauseHook:
    if not hook_id:
        raise InvalidParameterException("The hookId must be given.")
    known = next((one for one in deployment.hooks if one.id == hook_id), None)
    if known is None:
        raise InvalidParameterException(f"The service deployment has no hook {hook_id}.")
    if known.status != "AWAITING_ACTION":
        raise InvalidParameterException(
            f"The hook {hook_id} is {known.status}, not AWAITING_ACTION."
        )
    return known


def _goes_back(call: Call, deployment: ServiceDeployment) -> bool:
    """Whether a deployment of the service was COMPLETED that this one could go back to."""
    completed = service_deployments.last_completed(call.tx, deployment.service)
    return completed is not None and completed.arn != deployment.arn


def _keep(call: Call, service: Service, deployment: ServiceDeployment) -> None:
    """Keep what was asked, and wake the service's controller."""
    service_deployments.put(call.tx, evolve(deployment, updated_at=call.now))
    services.write(call.tx, service)
