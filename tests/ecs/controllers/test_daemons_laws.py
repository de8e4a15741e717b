"""Whatever happens to hosts: a daemon has one task on each that matches, and calm follows."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage.shapes.ecs.placement import PlacementConstraint
from tests.ecs.controllers.host import ScriptedHost
from tests.ecs.controllers.rig import Rig
from tests.ecs.controllers.test_daemons import daemon, labelled, one_each
from tests.ecs.controllers.test_host_stories import freeze, hosts, thaw

DISASTERS = (
    "update", "kill", "lose", "connect", "drain", "undrain", "slow", "finish", "wait", "restart",
    "join", "scale", "freeze", "thaw", "label", "unlabel",
)  # fmt: skip


class Story:
    """A daemon and a replica service on three hosts and more, and what befalls them."""

    def __init__(self) -> None:
        self.rig = Rig()
        self.rig.laws.append(one_each)
        for name in ("a", "b", "c"):
            labelled(self.rig, self.rig.host(name), disk="ssd")
        self.version = self.desired = 2
        only = PlacementConstraint(type="memberOf", expression="attribute:disk == ssd")
        self.logs = daemon(self.rig, placement_constraints=[only], definition={"cpu": 500})
        self.web = self.rig.serve("web", self.desired, self.rig.define("web"))
        self.rig.settle()

    def happen(self, what: str, number: int) -> None:
        rig, known = self.rig, hosts(self.rig)
        one = known[number % len(known)]
        {
            "update": self._update,
            "kill": lambda: one.running() and rig.connected & {one.arn} and self._kill(one),
            "lose": lambda: rig.lose(one),
            "connect": lambda: rig.connect(one),
            "drain": lambda: rig.change_host(one, status="DRAINING"),
            "undrain": lambda: rig.change_host(one, status="ACTIVE"),
            "slow": lambda: setattr(one, "slow", True),
            "finish": lambda: rig.connected & {one.arn} and one.finish(rig),
            "wait": lambda: rig.advance(float(number)),
            "restart": rig.restart,
            "join": lambda: len(known) < 5 and labelled(rig, rig.host(f"x{number}"), disk="ssd"),
            "scale": lambda: self._scale(number % 4),
            "freeze": lambda: freeze(rig),
            "thaw": lambda: thaw(rig),
            "label": lambda: labelled(rig, one, disk="ssd"),
            "unlabel": lambda: labelled(rig, one),
        }[what]()

    def calm(self) -> None:
        """Everything works again, and some time passes."""
        thaw(self.rig)
        for one in hosts(self.rig):
            one.slow = False
            self.rig.change_host(one, status="ACTIVE")
            self.rig.connect(one)
        for _ in range(10):
            for one in hosts(self.rig):
                one.finish(self.rig)
                self.rig.resend(one)
            self.rig.advance(400)

    def _kill(self, one: ScriptedHost) -> None:
        one.kill(one.running()[0], self.rig)

    def _update(self) -> None:
        self.version += 1
        definition = self.rig.define("logs", f"demo:{self.version}", cpu=500)
        self.rig.update(self.logs, definition)

    def _scale(self, desired: int) -> None:
        self.desired = desired
        self.rig.update(self.web, desired_count=desired)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(DISASTERS), st.integers(0, 60)), max_size=14))
def test_calm_follows(disasters):
    story = Story()
    try:
        for what, number in disasters:
            story.happen(what, number)
        story.calm()
        rig, logs = story.rig, story.logs
        labels = {arn: rig.instance(one).attribute("disk") for arn, one in rig.hosts.items()}
        wanted = sorted(arn for arn, disk in labels.items() if disk == "ssd")
        assert sorted(task.instance for task in rig.running(logs)) == wanted
        assert len(rig.live(logs)) == len(wanted) == rig.service(logs).desired_count
        assert rig.primary(logs).rollout_state == "COMPLETED"
        assert len(rig.running(story.web)) == story.desired
        held = sorted(arn for one in hosts(rig) for arn in one.running())
        assert held == sorted(task.arn for task in (*rig.live(logs), *rig.live(story.web)))
        rig.restart()
        rig.settle()
        before = rig.rows()
        rig.restart()
        rig.settle()
        assert rig.rows() == before
    finally:
        story.rig.house.close()
