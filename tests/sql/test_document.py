from collections.abc import Iterator
from contextlib import closing
from enum import StrEnum

import pytest

from moorage.ground.chance import SeededChance
from moorage.ground.clock import ManualClock
from moorage.ground.record import Record
from moorage.sql.document import IDENTIFIER_LENGTH_MAX, Table
from moorage.sql.engine import Database, open_database
from moorage.sql.transaction import Transaction
from tests.contract.ships import SHIPS, look, run, ship


class Status(StrEnum):
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"


class Cluster(Record):
    account: str
    name: str
    status: Status = Status.ACTIVE
    managed: bool = False

    @property
    def arn(self) -> str:
        return f"arn:aws:ecs:us-east-1:{self.account}:cluster/{self.name}"


CLUSTERS = Table("clusters", Cluster, keys=("arn",), columns=("status", "managed"))
OF_STATUS = CLUSTERS.query("status", "managed")
ONE_COLUMN = Table("single", Cluster, keys=("name",))


@pytest.fixture
def db() -> Iterator[Database]:
    opened = open_database(
        "sqlite://:memory:",
        clock=ManualClock(),
        chance=SeededChance(1),
        tables=[CLUSTERS, ONE_COLUMN, SHIPS],
    )
    with closing(opened) as database:
        yield database


def test_columns_may_be_properties_enumerations_and_booleans(db: Database):
    one = Cluster(account="1", name="a", status=Status.INACTIVE, managed=True)

    def work(tx: Transaction) -> list[Cluster]:
        CLUSTERS.put(tx, one)
        ONE_COLUMN.put(tx, one)
        assert CLUSTERS.get(tx, one.arn) == ONE_COLUMN.get(tx, "a") == one
        assert OF_STATUS.count(tx, status="INACTIVE", managed=1) == 1
        assert OF_STATUS.count(tx, status=Status.ACTIVE, managed=True) == 0
        return OF_STATUS.all(tx, status=Status.INACTIVE, managed=True)

    assert run(db, work) == [one]


@pytest.mark.parametrize(
    "declared",
    [
        lambda: Table("t", Cluster, keys=()),
        lambda: Table("t", Cluster, keys=("name",), columns=("name",)),
        lambda: Table("t", Cluster, keys=("name",), columns=("missing",)),
        lambda: Table("t", Cluster, keys=("name",), indices=(("status",),)),
        lambda: Table("t", Cluster, keys=("name",), unique=(("arn",),)),
        lambda: CLUSTERS.query("name"),
        lambda: CLUSTERS.query("status", "status"),
        lambda: CLUSTERS.query("status", among="status"),
        lambda: CLUSTERS.query("status", order=("name",)),
    ],
)
def test_a_wrong_declaration_fails_at_import(declared):
    with pytest.raises(AssertionError):
        declared()


@pytest.mark.parametrize(
    "asked",
    [
        CLUSTERS.get,
        lambda tx: CLUSTERS.get(tx, "a", "b"),
        lambda tx: OF_STATUS.all(tx, status="ACTIVE"),
        lambda tx: OF_STATUS.all(tx, status="ACTIVE", managed=0, name="a"),
        lambda tx: OF_STATUS.all(tx, status="ACTIVE", name=1),
        lambda tx: SHIPS.query(among="name").all(tx, name="a text, not a list"),
        lambda tx: CLUSTERS.swap(tx, Cluster(account="1", name="a"), version=1),
        lambda tx: SHIPS.swap(tx, ship("a", version=2), version=2),
    ],
)
def test_a_wrong_question_is_a_bug(db: Database, asked):
    with pytest.raises(AssertionError):
        run(db, asked)


def test_names_of_indices_fit_both_databases():
    columns = ("account", "region", "cluster", "container_instance", "desired_status")
    name = SHIPS.index_name(columns, unique=False)
    other = SHIPS.index_name((*columns[:-1], "desired_statua"), unique=False)
    assert len(name) <= IDENTIFIER_LENGTH_MAX
    assert name != other
    assert SHIPS.index_name(("sign",), unique=True) == "ships_one_sign"


@pytest.mark.parametrize(
    ("query", "values"),
    [
        (SHIPS.query("port", "flag"), {"port": "kiel", "flag": "de"}),
        (SHIPS.query("port", "flag"), {"port": "kiel", "flag": None}),
        (SHIPS.query("sign"), {"sign": "a"}),
        (SHIPS.query("port", greater="name"), {"port": "kiel", "name": "a"}),
        (SHIPS.query(among="crew"), {"crew": [1, 2]}),
        (SHIPS.query(among="sign"), {"sign": ["a", "b"]}),
        (SHIPS.query("port", among="name"), {"port": "kiel", "name": ["a", "b"]}),
    ],
)
def test_searches_go_by_an_index(db: Database, query, values):
    def plan(tx: Transaction) -> list[str]:
        bindings, statement = query._prepared(tx, "all", dict(values))
        text, _ = statement.compiled("sqlite")
        return [row[3] for row in tx._cursor.execute(f"EXPLAIN QUERY PLAN {text}", bindings)]

    steps = [step for step in look(db, plan) if "ships" in step]
    assert steps
    assert all(step.startswith("SEARCH ships USING") for step in steps), steps
