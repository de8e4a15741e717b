"""PAUSE hooks: which may be configured, how one begins to wait, and what its time brings.

Lambda hooks are refused by name: there is no Lambda here. A rolling deployment shifts no traffic,
so that hooks at the stages of traffic would never be reached, and are refused as well.
"""

import base64
import hashlib
from collections.abc import Sequence

from moorage.ecs.records.service_deployment import LifecycleStage, PauseHook, ServiceDeployment
from moorage.ecs.rules.deployment.status import STAGES
from moorage.ecs.rules.refusal import Refusal, invalid, unsupported
from moorage.ground.instant import Instant, later, minutes
from moorage.ground.record import evolve
from moorage.shapes.ecs.deployment_configuration import DeploymentLifecycleHook

# DeploymentLifecycleHookTimeoutConfiguration: 1 to 20,160 minutes, by default 24 hours, ROLLBACK.
TIMEOUT_MINUTES_DEFAULT = 1440
TIMEOUT_MINUTES_MAX = 20_160
ACTION_DEFAULT = "ROLLBACK"
ACTIONS = frozenset({"CONTINUE", "ROLLBACK"})
HOOKS_MAX = 20
_TRAFFIC = frozenset(
    {
        "TEST_TRAFFIC_SHIFT",
        "POST_TEST_TRAFFIC_SHIFT",
        "PRE_PRODUCTION_TRAFFIC_SHIFT",
        "PRODUCTION_TRAFFIC_SHIFT",
        "POST_PRODUCTION_TRAFFIC_SHIFT",
    }
)
_HOOKED: tuple[LifecycleStage, ...] = ("RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP")


def refuse_hooks(hooks: Sequence[DeploymentLifecycleHook]) -> Refusal | None:
    """Why these lifecycleHooks cannot be asked for, or None."""
    if len(hooks) > HOOKS_MAX:
        return invalid(f"A service has at most {HOOKS_MAX} lifecycle hooks.")
    return next(filter(None, map(_refuse_hook, hooks)), None)


def begun(
    deployment: ServiceDeployment, stage: LifecycleStage, now: Instant
) -> tuple[PauseHook, ...]:
    """The hooks at which a deployment begins to wait as it enters a stage; a rollback at none."""
    if deployment.rollback_of:
        return ()
    configured = deployment.deployment_configuration.lifecycle_hooks or ()
    return tuple(
        _begin(deployment, stage, number, hook, now)
        for number, hook in enumerate(configured)
        if stage in (hook.lifecycle_stages or ())
    )


def has_hook(deployment: ServiceDeployment, stage: LifecycleStage) -> bool:
    """Whether a deployment waits at a stage, has waited there, or will."""
    configured = deployment.deployment_configuration.lifecycle_hooks or ()
    return not deployment.rollback_of and any(
        stage in (hook.lifecycle_stages or ()) for hook in configured
    )


def awaited(deployment: ServiceDeployment) -> list[PauseHook]:
    """The hooks at which a deployment waits now, that which ends first before the others."""
    waiting = [one for one in deployment.hooks if one.status == "AWAITING_ACTION"]
    return sorted(waiting, key=lambda one: (one.expires_at, one.id))


def answered(deployment: ServiceDeployment, hook_id: str, status: str) -> ServiceDeployment:
    """The deployment with one of its hooks in another status."""
    assert status in {"SUCCEEDED", "FAILED", "TIMED_OUT"}
    return evolve(
        deployment,
        hooks=tuple(
            evolve(one, status=status) if one.id == hook_id else one for one in deployment.hooks
        ),
    )


def timed_out(deployment: ServiceDeployment, now: Instant) -> ServiceDeployment:
    """The deployment with the hooks whose time is over marked as such."""
    for hook in awaited(deployment):
        if hook.expires_at <= now:
            deployment = answered(deployment, hook.id, "TIMED_OUT")
    return deployment


def expired(deployment: ServiceDeployment) -> PauseHook | None:
    """The hook whose time was over and whose timeout action is ROLLBACK, if there is one."""
    return next(
        (
            one
            for one in deployment.hooks
            if one.status == "TIMED_OUT" and one.timeout_action == "ROLLBACK"
        ),
        None,
    )


def abandoned(deployment: ServiceDeployment) -> ServiceDeployment:
    """The deployment, which has ended, with no hook that still waits."""
    for hook in awaited(deployment):
        deployment = answered(deployment, hook.id, "FAILED")
    return deployment


def _begin(
    deployment: ServiceDeployment,
    stage: LifecycleStage,
    number: int,
    hook: DeploymentLifecycleHook,
    now: Instant,
) -> PauseHook:
    timeout = hook.timeout_configuration
    length = (timeout.timeout_in_minutes if timeout else None) or TIMEOUT_MINUTES_DEFAULT
    return PauseHook(
        id=_identity(deployment, stage, number),
        stage=stage,
        status="AWAITING_ACTION",
        expires_at=later(now, minutes(length)),
        timeout_action=(timeout.action if timeout else None) or ACTION_DEFAULT,
    )


def _identity(deployment: ServiceDeployment, stage: LifecycleStage, number: int) -> str:
    """An id in Amazon's form; the ARN of the deployment was drawn by chance, and makes it unique."""
    drawn = hashlib.sha256(f"{deployment.arn} {stage} {number}".encode()).digest()
    return f"ecs-pause-{base64.urlsafe_b64encode(drawn).decode().rstrip('=')}"


def _refuse_hook(hook: DeploymentLifecycleHook) -> Refusal | None:
    if hook.target_type != "PAUSE":
        asked = hook.target_type or "AWS_LAMBDA"
        return unsupported(
            f"A lifecycle hook of the targetType {asked} is not supported. Use PAUSE, and call "
            "ContinueServiceDeployment once your own checks are done."
        )
    given = {
        "hookTargetArn": hook.hook_target_arn,
        "roleArn": hook.role_arn,
        "hookDetails": hook.hook_details,
    }
    member = next((name for name, value in given.items() if value), None)
    if member:
        return invalid(f"{member} is not valid for a lifecycle hook of the targetType PAUSE.")
    return _refuse_stages(hook.lifecycle_stages or []) or _refuse_timeout(hook)


def _refuse_stages(stages: Sequence[str]) -> Refusal | None:
    if not stages:
        return invalid("The lifecycleStages of a lifecycle hook must be given.")
    for stage in stages:
        if stage in _TRAFFIC:
            return invalid(
                f"The lifecycle stage {stage} is not valid with the ROLLING strategy, which shifts "
                f"no traffic. Use one of {', '.join(_HOOKED)}."
            )
        if stage not in _HOOKED:
            known = ", which takes no hooks" if stage in STAGES.moves else ""
            return invalid(f"Invalid lifecycle stage {stage}{known}.")
    return None


def _refuse_timeout(hook: DeploymentLifecycleHook) -> Refusal | None:
    timeout = hook.timeout_configuration
    if timeout is None:
        return None
    length, action = timeout.timeout_in_minutes, timeout.action
    if length is not None and not 1 <= length <= TIMEOUT_MINUTES_MAX:
        return invalid(f"The timeoutInMinutes must be between 1 and {TIMEOUT_MINUTES_MAX}.")
    if action is not None and action not in ACTIONS:
        return invalid(f"Invalid timeout action {action}. Use CONTINUE or ROLLBACK.")
    return None
