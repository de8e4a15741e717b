"""The simulated network keeps to what TCP promises, whatever is cut in between."""

import pytest

from moorage.sim.network import End, Host, Network
from moorage.sim.world import World


class Rig:
    """Two machines, and a connection between them."""

    def __init__(self, seed) -> None:
        self.world = World(seed)
        self.network = Network(self.world)
        self.heard = []
        near, far = (self._end(name) for name in ("near", "far"))
        self.near = near
        self.connection = self.network.connect(near, far)

    def _end(self, name):
        host = Host(name)
        host.process = self.world.process(name)
        return End(host, host.process, self.heard.append, lambda _: self.heard.append("closed"))

    def say(self, *things):
        for thing in things:
            self.connection.send(self.near, thing)


@pytest.mark.parametrize("seed", range(20))
def test_what_a_cut_has_held_up_is_heard_before_what_was_said_after_it(seed):
    rig = Rig(seed)
    rig.say(1)
    rig.world.run(1)
    rig.network.cut("near", "far")
    rig.say(2, 3)
    rig.world.run(2)
    rig.say(4)  # is under way as the cable is whole again
    rig.network.mend("near", "far")
    rig.say(5)
    rig.connection.close(rig.near, 1000)
    rig.world.run(20)
    assert rig.heard == [1, 2, 3, 4, 5, "closed"]


def test_one_way_is_cut_and_the_other_is_not():
    rig = Rig(1)
    rig.network.cut("far", "near")
    rig.say(1)
    rig.world.run(1)
    assert rig.heard == [1]
    rig.connection.send(rig.connection.ends[1], 2)
    rig.world.run(30)
    assert rig.heard == [1]
    rig.network.mend("far", "near")
    rig.world.run(60)
    assert rig.heard == [1, 2]


def test_what_a_process_has_said_before_it_was_killed_arrives_and_nothing_after():
    rig = Rig(1)
    rig.say(1)
    rig.near.process.kill()
    rig.say(2)
    rig.connection.close(rig.near, 1000)
    rig.network.process_died(rig.near.process)
    rig.world.run(1)
    assert rig.heard == [1, "closed"]


def test_of_a_machine_without_power_nothing_is_sent_again():
    rig = Rig(1)
    rig.network.cut("near", "far")
    rig.say(1)
    rig.world.run(1)
    rig.network.power_lost(rig.near.host)
    rig.network.mend("near", "far")
    rig.world.run(30)
    assert rig.heard == []


@pytest.mark.parametrize(("away", "heard"), [(50, [1]), (70, [])])
def test_what_nobody_waits_for_any_more_arrives_for_a_while(away, heard):
    rig = Rig(1)
    rig.network.cut("near", "far")
    rig.say(1)
    rig.near.is_open = False
    rig.network.abandon(rig.connection.ends[1])
    rig.world.run(away)
    rig.network.mend("near", "far")
    rig.world.run(away + 30)
    assert rig.heard == heard
