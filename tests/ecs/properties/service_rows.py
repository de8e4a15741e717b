"""The rows of a drawn service: itself, its deployments and revisions, its tasks."""

from moorage.ecs.records.service import Service, StartBackoff
from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.records.service_revision import RevisionImage, ServiceRevision
from moorage.ecs.records.task import Task
from moorage.ecs.rules.task.stop import ask_to_stop
from moorage.ground.instant import Instant, later, minutes, seconds
from moorage.ground.record import evolve
from moorage.shapes.ecs.deployment_configuration import (
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
    DeploymentEarlySuccessCriteria,
    DeploymentLifecycleHook,
    DeploymentLifecycleHookTimeoutConfiguration,
    ThresholdConfiguration,
)
from moorage.shapes.ecs.placement import PlacementStrategy
from moorage.shapes.ecs.tag import Tag
from tests.ecs.properties.service_cases import ServiceCase, ServiceTask
from tests.ecs.rules.builders import (
    NOW,
    a_configuration,
    a_container,
    a_deployment,
    a_revision,
    a_service,
    a_task,
)

FENCE_AFTER = seconds(60)
# The deployments of a service are that far apart.
APART_SECONDS = 6000
STRATEGIES = {
    "": (),
    "spread zone": (("spread", "attribute:ecs.availability-zone"),),
    "spread host": (("spread", "instanceId"),),
    "binpack": (("binpack", "memory"),),
    "random": (("random", None),),
}
TAGS = {
    "": [],
    "replace": [Tag(key="moorage:on-host-loss", value="replace")],
    "wait": [Tag(key="moorage:on-host-loss", value="wait")],
    "fence": [Tag(key="moorage:fence", value="true")],
}
BREAKERS = {
    "": None,
    "on": DeploymentCircuitBreaker(enable=True),
    "rollback": DeploymentCircuitBreaker(enable=True, rollback=True),
    "count": DeploymentCircuitBreaker(
        enable=True,
        rollback=True,
        threshold_configuration=ThresholdConfiguration(type="COUNT", value=2),
    ),
}
# The members of the newest deployment, by where it stands.
PRIMARIES = {
    "new": {"status": "PENDING", "rollout_reason": ""},
    "under way": {"status": "IN_PROGRESS", "lifecycle_stage": "SCALE_UP"},
    "done": {
        "status": "SUCCESSFUL",
        "rollout_state": "COMPLETED",
        "lifecycle_stage": "CLEAN_UP",
        "completed_before": True,
    },
    "failed": {"status": "STOPPED", "rollout_state": "FAILED", "lifecycle_stage": "SCALE_UP"},
}
ENDS = {
    "crashed": {"stop_code": "EssentialContainerExited", "execution_stopped_at": NOW},
    "failed": {"stop_code": "TaskFailedToStart", "execution_stopped_at": NOW},
    "asked": {
        "stop_code": "ServiceSchedulerInitiated",
        "stopped_reason": "Scaling activity",
        "desired_status": "STOPPED",
    },
}


def service(case: ServiceCase) -> Service:
    """The service itself."""
    backoff = StartBackoff()
    if case.failures:
        backoff = StartBackoff(failures=case.failures, until=later(NOW, seconds(30)), last_at=NOW)
    return a_service(
        case.desired,
        status="DRAINING" if case.deleted else "ACTIVE",
        deployment=f"ecs-svc/{case.olds + 1}",
        deployment_configuration=configuration(case),
        scheduling_strategy="DAEMON" if case.daemon else "REPLICA",
        health_check_grace_period_seconds=case.grace,
        placement_strategy=[
            PlacementStrategy(type=kind, field=field)
            for kind, field in STRATEGIES["" if case.daemon else case.strategy]
        ],
        backoff=backoff,
        tags=TAGS[case.tag],
    )


def deployment(case: ServiceCase, number: int) -> ServiceDeployment:
    """One of its deployments; the last is the newest."""
    newest = number == case.olds + 1
    members = dict(PRIMARIES[case.primary])
    if not newest:
        members = dict(PRIMARIES["done"])
        if not case.completed >> (number - 1) & 1:
            members = {"status": "STOPPED", "lifecycle_stage": "SCALE_UP"}
    back = seconds(APART_SECONDS * (case.olds + 1 - number) + 1)
    return a_deployment(
        f"ecs-svc/{number}",
        created_at=Instant(NOW - back),
        deployment_configuration=configuration(case, first=not newest),
        desired_count=case.desired,
        **members,
    )


def revision(case: ServiceCase, number: int) -> ServiceRevision:
    """What a deployment runs; an image that is not known by its digest wants a pilot."""
    image = RevisionImage(container_name="web", image="demo:1")
    return a_revision(str(number), images=(image,) if case.pilot else ())


def task(case: ServiceCase, drawn: ServiceTask, number: int, deployment: ServiceDeployment) -> Task:
    """One of its tasks."""
    created = max(Instant(NOW - seconds(drawn.age)), Instant(deployment.created_at + 1))
    status = drawn.status
    began = status in {"RUNNING", "DEACTIVATING", "STOPPING"} or (
        status == "STOPPED" and drawn.end != "failed"
    )
    made = a_task(
        f"t{number}",
        deployment=deployment.id,
        created_at=created,
        connectivity_at=created,
        started_at=created if began else None,
        containers=(a_container(has_health_check=case.checked, health=drawn.health),),
        payload_sequence=1 if began else int(case.sent or number % 2),
        protected_until=later(NOW, minutes(drawn.protected)) if drawn.protected else None,
        fence_after=FENCE_AFTER,
    )
    if status == "STOPPED":
        return evolve(made, **ENDS[drawn.end], last_status="STOPPED", stopped_at=NOW)
    if drawn.told_to_stop or status in {"DEACTIVATING", "STOPPING"}:
        made = ask_to_stop(made, "ServiceSchedulerInitiated", "Scaling activity", NOW)
    return made if made.is_stopped else evolve(made, last_status=status)


def configuration(case: ServiceCase, *, first: bool = False) -> DeploymentConfiguration:
    """The deployment configuration of a case; that of older deployments has no hooks."""
    early = DeploymentEarlySuccessCriteria(
        enable=True,
        healthy_percent=max(case.early or 0, case.percentages[0]),
        source_service_revision_cleanup="DEFERRED",
    )
    hook = DeploymentLifecycleHook(
        target_type="PAUSE",
        lifecycle_stages=[case.pause],
        timeout_configuration=DeploymentLifecycleHookTimeoutConfiguration(
            timeout_in_minutes=5, action="CONTINUE"
        ),
    )
    return evolve(
        a_configuration(*case.percentages),
        deployment_circuit_breaker=BREAKERS[case.breaker],
        early_success_criteria=early if case.early is not None else None,
        lifecycle_hooks=[hook] if case.pause and not first else None,
    )
