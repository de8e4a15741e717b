"""One lab of three hosts for all tests here; each finds it whole and leaves it whole."""

from collections.abc import Iterator

import pytest

from tests.lab.invariants import Watch, converged
from tests.lab.lab import Lab
from tests.lab.scene import Scene

HOSTS = 3
LAB = pytest.StashKey[Lab]()
# Whatever the tests did, no request and no controller failed by a fault of the program's.
FAULT_OF_OURS = '"level":"error","logger":"moorage.'


@pytest.fixture(scope="package")
def shared_lab() -> Iterator[Lab]:
    """The server and its three hosts."""
    made = Lab.begin(HOSTS)
    try:
        yield made
        faults = [x for x in made.server.log.read_text().splitlines() if FAULT_OF_OURS in x]
    finally:
        made.end()
    assert not faults


@pytest.fixture
def scene(shared_lab: Lab, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """The lab, watched; when the test is over all heals, converges, and the watch is judged."""
    request.node.stash[LAB] = shared_lab
    shared_lab.calm()
    watch = Watch(shared_lab)
    watch.begin()
    try:
        yield Scene(shared_lab, watch)
        shared_lab.restore()
        converged(shared_lab)
    finally:
        watch.end()
        shared_lab.restore()
        shared_lab.clear()
    watch.judge()
    converged(shared_lab)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Put the logs of server and hosts, and what runs, under a failure."""
    report = yield
    lab = item.stash.get(LAB, None)
    if report.failed and lab is not None:
        for title, tell in {"logs": lab.tails, "services and tasks": lab.story}.items():
            try:
                report.sections.append((title, tell()))
            except Exception as error:  # noqa: BLE001 - the failure itself is to be shown, not this
                report.sections.append((title, f"cannot be told: {error!r}"))
    return report
