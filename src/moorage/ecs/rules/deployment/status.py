"""The statuses of a service deployment, and its lifecycle stages: which may follow which."""

from moorage.ecs.records.service_deployment import DeploymentStatus, LifecycleStage
from moorage.ground.machine import Transitions

_NONE: frozenset[DeploymentStatus] = frozenset()
# A newer deployment ends an older one in every status (STOPPED, ROLLBACK_FAILED).
TABLE: Transitions[DeploymentStatus] = Transitions(
    {
        "PENDING": frozenset({"IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "STOPPED"}),
        "IN_PROGRESS": frozenset(
            {
                "SUCCESSFUL",
                "STOP_REQUESTED",
                "ROLLBACK_REQUESTED",
                "ROLLBACK_IN_PROGRESS",
                "ROLLBACK_FAILED",
                "STOPPED",
            }
        ),
        "STOP_REQUESTED": frozenset({"STOPPED"}),
        "ROLLBACK_REQUESTED": frozenset({"ROLLBACK_IN_PROGRESS", "ROLLBACK_FAILED", "STOPPED"}),
        "ROLLBACK_IN_PROGRESS": frozenset({"ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}),
        "SUCCESSFUL": _NONE,
        "STOPPED": _NONE,
        "ROLLBACK_SUCCESSFUL": _NONE,
        "ROLLBACK_FAILED": _NONE,
    }
)

# Statuses of a deployment that may still become SUCCESSFUL.
UNDER_WAY: frozenset[DeploymentStatus] = frozenset({"PENDING", "IN_PROGRESS"})
# Statuses in which StopServiceDeployment was heard and the controller has not acted on it yet.
REQUESTED: frozenset[DeploymentStatus] = frozenset({"STOP_REQUESTED", "ROLLBACK_REQUESTED"})
# What a newer deployment, or the end of the service, stops.
ONGOING = UNDER_WAY | REQUESTED

STAGES: Transitions[LifecycleStage] = Transitions(
    {
        "RECONCILE_SERVICE": frozenset({"PRE_SCALE_UP"}),
        "PRE_SCALE_UP": frozenset({"SCALE_UP"}),
        "SCALE_UP": frozenset({"POST_SCALE_UP"}),
        "POST_SCALE_UP": frozenset({"CLEAN_UP"}),
        "CLEAN_UP": frozenset(),
    }
)


def following(stage: LifecycleStage) -> LifecycleStage | None:
    """The stage after this one, or None after the last."""
    return next(iter(STAGES.moves[stage]), None)
