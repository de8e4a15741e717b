"""What is kept of a cluster between writes: true after any of them, gone after one that failed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.records.container_instance import InstanceAttribute
from moorage.ecs.store import container_instances, tasks
from moorage.ecs.store.projection import Projection, recalled
from moorage.ecs.store.view import cluster_view, untrue
from moorage.ground.arn import make_arn
from moorage.ground.record import evolve
from tests.builders import ACCOUNT, REGION, a_host, a_service, a_task
from tests.ecs.rules.builders import a_task as a_record
from tests.ecs.rules.builders import an_instance

CLUSTER = make_arn("cluster", REGION, ACCOUNT, "default")


def test_it_is_kept_from_one_write_to_the_next_and_read_by_no_reader(house):
    a_host(house)
    a_task(house)
    kept = house.write(lambda call: recalled(call.tx, CLUSTER))
    assert isinstance(kept, Projection)
    assert house.write(lambda call: recalled(call.tx, CLUSTER)) is kept
    assert house.read(lambda call: recalled(call.tx, CLUSTER)) is None
    seen = house.read(lambda call: cluster_view(call.tx, CLUSTER))
    assert seen.hosts == house.write(lambda call: cluster_view(call.tx, CLUSTER)).hosts


def test_a_view_does_not_change_once_it_was_given(house):
    a_host(house)

    def work(call):
        view = cluster_view(call.tx, CLUSTER)
        before = dict(view.hosts)
        for host in view.hosts.values():
            container_instances.write(call.tx, evolve(host.instance, suspect=True))
        assert view.hosts == before
        assert cluster_view(call.tx, CLUSTER).hosts != before

    a_task(house)
    house.write(work)


@pytest.mark.parametrize("changed", ["task", "host", "nothing"])
def test_what_a_failed_write_changed_is_forgotten(house, changed):
    key = a_host(house)
    task = a_task(house)
    kept = house.write(lambda call: recalled(call.tx, CLUSTER))

    def work(call):
        if changed == "task":
            found = tasks.get(call.tx, task["taskArn"])
            tasks.write(call.tx, evolve(found, last_status="STOPPED", desired_status="STOPPED"))
        if changed == "host":
            found = container_instances.get(call.tx, key.instance)
            container_instances.write(call.tx, evolve(found, status="DRAINING"))
        raise LookupError

    with pytest.raises(LookupError):
        house.write(work)
    after = house.write(lambda call: recalled(call.tx, CLUSTER))
    assert after is (kept if changed == "nothing" else None)
    a_task(house)
    assert house.write(lambda call: untrue(call.tx, CLUSTER)) == []


def test_an_untrue_one_is_seen(house):
    a_host(house)
    a_service(house, count=1)
    house.settle()

    def bend(call):
        kept = recalled(call.tx, CLUSTER)
        (host,) = kept.hosts
        kept.hosts[host] = evolve(kept.hosts[host], cpu=0)

    house.write(bend)
    assert len(house.write(lambda call: untrue(call.tx, CLUSTER))) == 1


STEPS = st.one_of(
    st.tuples(st.just("task"), st.integers(0, 5), st.integers(0, 3), st.integers(0, 2)),
    st.tuples(st.just("host"), st.integers(0, 2), st.integers(0, 3), st.just(0)),
)
# What a task is, and what it is to be.
STATUSES = (
    ("PENDING", "RUNNING"),
    ("RUNNING", "RUNNING"),
    ("RUNNING", "STOPPED"),
    ("STOPPED", "STOPPED"),
)


@given(st.lists(STEPS, max_size=30))
def test_any_order_of_rows_gives_what_the_last_rows_give(steps):
    kept, hosts, live = Projection([], []), {}, {}
    for kind, number, state, host in steps:
        if kind == "host":
            status = "INACTIVE" if state == 0 else "ACTIVE"
            one = an_instance(f"h{number}", status=status, cpu=1000 * state)
            one = evolve(one, attributes=(InstanceAttribute(name="n", value=str(state)),))
            hosts[one.arn] = one
            kept.host(one)
        else:
            last, desired = STATUSES[state]
            members = {"last_status": last, "desired_status": desired}
            one = a_record(f"t{number}", host=f"h{host}", **members)
            live[one.arn] = one
            kept.task(one)
    alive = [one for one in hosts.values() if one.status != "INACTIVE"]
    fresh = Projection(alive, [one for one in live.values() if not one.is_stopped])
    assert kept.hosts == fresh.hosts
    assert kept.claims == fresh.claims


def test_one_that_is_untrue_heals_where_it_loses_a_race_against_the_rows(house):
    a_host(house)
    a_task(house)

    def bend(call):
        kept = recalled(call.tx, CLUSTER)
        for host, load in kept.hosts.items():
            old = evolve(load.instance, version=load.instance.version + 7)
            kept.hosts[host] = evolve(load, instance=old)

    house.write(bend)
    assert a_task(house)["taskArn"]
    assert house.write(lambda call: untrue(call.tx, CLUSTER)) == []
