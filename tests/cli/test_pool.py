"""`moorage pool`: one line a pool, and a sentence for each thing that went wrong."""

from moorage.cli.pool import machines_of, notes_of, table_of
from moorage.shapes.moorage.pool import HostPool, PoolMachine

POOL = HostPool(
    name="spare",
    cluster="default",
    capacity_provider="cp",
    minimum=0,
    maximum=3,
    wanted=2,
    reservation=200,
    waiting_tasks=1,
    failures=2,
    retry_at=7200.0,
    reason="no credit",
    machines=[
        PoolMachine(name="spare-1", status="JOINED"),
        PoolMachine(name="spare-2", status="JOINED"),
        PoolMachine(
            name="spare-3", status="DESTROYING", tries=1, next_try_at=3600.0, reason="no answer"
        ),
    ],
)


def test_machines_are_counted_by_what_they_do():
    assert machines_of(POOL) == "1 destroying, 2 joined"
    assert machines_of(HostPool()) == "none"


def test_what_went_wrong_is_said():
    assert notes_of([POOL]) == [
        "spare: 2 in a row failed, nothing is made before 1970-01-01T02:00:00.000Z. no credit",
        "spare-3 (destroying): no answer Tried again at 1970-01-01T01:00:00.000Z.",
    ]
    assert notes_of([HostPool(name="well")]) == []


def test_a_line_a_pool():
    table = table_of([POOL, HostPool(name="bare", cluster="west")])
    assert table.row_count == 2
    assert list(table.columns[3].cells) == ["1 destroying, 2 joined", "none"]
    assert list(table.columns[5].cells) == ["0 to 3", "0 to 0"]
