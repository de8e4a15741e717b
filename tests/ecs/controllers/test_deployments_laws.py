"""Whatever happens to hosts, tasks and services: no host is over-promised, and calm follows."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ecs.controllers.host import ScriptedHost
from tests.ecs.controllers.rig import Rig
from tests.ecs.controllers.test_host_stories import freeze, thaw

HOSTS = ("a", "b", "c")
DISASTERS = (
    "update",
    "scale up",
    "scale down",
    "kill",
    "lose",
    "cut",
    "connect",
    "drain",
    "undrain",
    "slow",
    "finish",
    "deaf",
    "resend",
    "wait",
    "restart",
    "settle",
    "freeze",
    "thaw",
)


class Story:
    """One service on three hosts, and what befalls them."""

    def __init__(self) -> None:
        self.rig = Rig()
        self.hosts = [self.rig.host(name) for name in HOSTS]
        self.desired = 3
        self.version = 1
        self.service = self.rig.serve("web", 3, self.rig.define("web"))
        self.rig.settle()

    def happen(self, what: str, number: int) -> None:
        one = self.hosts[number % len(self.hosts)]
        {
            "update": self._update,
            "scale up": lambda _: self._scale(min(6, self.desired + 1)),
            "scale down": lambda _: self._scale(max(0, self.desired - 1)),
            "kill": self._kill,
            "lose": self.rig.lose,
            "cut": self.rig.cut,
            "connect": self.rig.connect,
            "drain": lambda one: self.rig.change_host(one, status="DRAINING"),
            "undrain": lambda one: self.rig.change_host(one, status="ACTIVE"),
            "slow": lambda one: setattr(one, "slow", True),
            "finish": self._finish,
            "deaf": lambda one: setattr(one, "deaf", True),
            "resend": self._resend,
            "wait": lambda _: self.rig.advance(float(number)),
            "restart": lambda _: self.rig.restart(),
            "settle": lambda _: self.rig.settle(),
            "freeze": lambda _: freeze(self.rig),
            "thaw": lambda _: thaw(self.rig),
        }[what](one)

    def calm(self) -> None:
        """Everything works again, and some time passes."""
        thaw(self.rig)
        for one in self.hosts:
            one.slow = one.deaf = False
            self.rig.change_host(one, status="ACTIVE")
            self.rig.connect(one)
        for _ in range(12):
            for one in self.hosts:
                one.finish(self.rig)
                self.rig.resend(one)
            self.rig.advance(400)

    def _update(self, _: ScriptedHost) -> None:
        self.version += 1
        self.rig.update(self.service, self.rig.define("web", f"demo:{self.version}"))

    def _scale(self, desired: int) -> None:
        self.desired = desired
        self.rig.update(self.service, desired_count=desired)

    def _kill(self, one: ScriptedHost) -> None:
        if one.running() and one.arn in self.rig.connected:
            one.kill(one.running()[0], self.rig)

    def _finish(self, one: ScriptedHost) -> None:
        if one.arn in self.rig.connected:
            one.finish(self.rig)

    def _resend(self, one: ScriptedHost) -> None:
        one.deaf = False
        if one.arn in self.rig.connected:
            self.rig.resend(one)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(DISASTERS), st.integers(0, 60)), max_size=14))
def test_calm_follows(disasters):
    story = Story()
    try:
        for what, number in disasters:
            story.happen(what, number)
        story.calm()
        rig, service = story.rig, story.service
        assert len(rig.live(service)) == story.desired == len(rig.running(service))
        assert {task.revision for task in rig.live(service)} <= {story.version}
        held = sorted(arn for one in story.hosts for arn in one.running())
        assert held == sorted(task.arn for task in rig.live(service))
        assert rig.primary(service).rollout_state == "COMPLETED"
        assert [one.open for one in rig.deployments(service)].count(True) == 1
        rig.restart()
        rig.settle()
        before = rig.rows()
        rig.restart()
        rig.settle()
        assert rig.rows() == before
    finally:
        story.rig.house.close()
