import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.cli import plan
from moorage.cli.engine import EngineSize
from moorage.cli.plan import HostPlan, Plan, shares
from moorage.ground.record import evolve


def an_engine(cores=2, memory=8192):
    return EngineSize(id="E", version="20.10.24", cores=cores, memory=memory)


def test_one_host_has_the_machine_less_what_it_keeps_for_itself():
    assert shares(an_engine(), 1) == (
        HostPlan(name="host-1", cpu=2048, memory=8192 - 410, publish_address="127.0.0.1"),
    )


def test_a_small_machine_keeps_256_mib():
    assert shares(an_engine(memory=1024), 1)[0].memory == 1024 - 256


def test_several_hosts_have_loopback_addresses_of_their_own():
    hosts = shares(an_engine(), 3)
    assert [host.name for host in hosts] == ["host-1", "host-2", "host-3"]
    assert [host.publish_address for host in hosts] == ["127.0.0.2", "127.0.0.3", "127.0.0.4"]


@given(cores=st.integers(1, 256), memory=st.integers(512, 4_000_000), count=st.integers(1, 32))
def test_the_shares_never_promise_more_than_there_is(cores, memory, count):
    hosts = shares(an_engine(cores, memory), count)
    assert len({host.publish_address for host in hosts}) == len(hosts) == count
    assert sum(host.cpu for host in hosts) <= cores * 1024
    assert sum(host.memory for host in hosts) <= memory - max(256, round(memory * 0.05))
    assert len({(host.cpu, host.memory) for host in hosts}) == 1


def test_a_plan_is_read_as_it_was_kept(place):
    made = Plan(
        data=str(place),
        port=4751,
        docker_socket="/var/run/docker.sock",
        hosts=shares(an_engine(), 2),
        settle_seconds=5.0,
    )
    assert plan.read(place) is None
    plan.keep(made)
    assert plan.read(place) == made
    assert (place / plan.PLAN_FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("count", [2, 32])
def test_names_are_unlike(count):
    assert len({host.name for host in shares(an_engine(), count)}) == count


def test_a_plan_of_before_listens_on_loopback(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / plan.PLAN_FILE).write_text(
        '{"data": "d", "port": 4750, "docker_socket": "s", "hosts": [], "settle_seconds": 5}'
    )
    made = plan.read(tmp_path)
    assert made is not None
    assert made.address == "127.0.0.1:4750"
    assert evolve(made, listen="0.0.0.0:4751").address == "0.0.0.0:4751"
