"""The one question of a service: given this state and this time, what should be done?"""

from moorage.ecs.rules.deployment.state import Plan, ServiceState
from moorage.ecs.rules.placement.view import ClusterView
from moorage.ground.instant import Instant


def reconcile(state: ServiceState, now: Instant, view: ClusterView | None = None) -> Plan:
    """What this service should do now.

    Level, not edge: done and asked again, it answers nothing. Never stops healthy tasks below
    the minimum, never starts above the maximum. `view` helps binpack choose what to stop.
    """
    raise NotImplementedError
