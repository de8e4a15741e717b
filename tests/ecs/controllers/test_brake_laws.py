"""Whatever befalls hosts: none that is lost waits for ever, and no hold outlives its wave."""

from contextlib import closing

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage.ecs.agents import AGENT
from moorage.ecs.operations.host import confirm_host_lost
from moorage.shapes.moorage.host_state import ConfirmHostLostRequest
from tests.ecs.controllers.rig import Rig
from tests.ecs.controllers.test_brake import brakes, named

HOSTS = "abcdef"
# The brake's time, a minute for each host, and the window of the last loss.
OVER_SECONDS = 900 + 60 * len(HOSTS) + 60


def happen(rig: Rig, what: str, name: str, length: int) -> None:
    host = named(rig, name)
    lost = rig.instance(host).lost_at is not None
    if what == "doubt":
        rig.agent(host, AGENT.doubted, not lost and not rig.instance(host).suspect)
    elif what == "away" and not lost:
        rig.agent(host, AGENT.disconnected, "closed")
    elif what == "confirm" and lost:
        rig.house.run(confirm_host_lost, ConfirmHostLostRequest(host=name))
    elif what == "restart":
        rig.restart()
    else:
        {"lose": rig.lose, "return": rig.connect}.get(what, lambda _: rig.advance(length))(host)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(2, len(HOSTS)),
    st.lists(
        st.tuples(
            st.sampled_from(["lose", "return", "doubt", "away", "confirm", "restart", "wait"]),
            st.integers(0, len(HOSTS) - 1),
            st.sampled_from([1, 3, 7, 65, 400]),
            st.booleans(),
        ),
        max_size=16,
    ),
)
def test_each_lost_host_is_decided_about_and_each_hold_ends(count, events):
    rig = Rig()
    with closing(rig.house):
        for number, name in enumerate(HOSTS[:count]):
            rig.host(name, zone="xy"[number % 2])
        rig.serve("web", count, rig.define("web"))
        rig.settle()
        for what, number, length, at_once in events:
            happen(rig, what, HOSTS[number % count], length)
            if not at_once:
                rig.settle()
        rig.advance(OVER_SECONDS)
        hosts = [rig.instance(host) for host in rig.hosts.values()]
        assert [one.name for one in hosts if one.lost_at and one.replace_at is None] == []
        assert brakes(rig) == []
