"""The law of port Database: any row of works does to it what it does to a dictionary.

Works that raise in the middle do nothing to either.
"""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.ground.fault import Validation
from moorage.sql.engine import Database
from moorage.sql.transaction import Transaction
from tests.contract.ships import ALL, NAMED, OF_FLAG, OF_PORT, SHIPS, Ship, look, run, ship

EXAMPLES = 60

# Steps of the law: what a step does to a dictionary, and to the database; both give the answer.

Model = dict[tuple[str, str], Ship]
Step = tuple[Callable[[Model], object], Callable[[Transaction], object]]


def put_step(one: Ship) -> Step:
    def modelled(model: Model) -> None:
        model[one.port, one.name] = one

    return modelled, lambda tx: SHIPS.put(tx, one)


def insert_step(one: Ship) -> Step:
    def modelled(model: Model) -> bool:
        fresh = (one.port, one.name) not in model
        model.setdefault((one.port, one.name), one)
        return fresh

    return modelled, lambda tx: SHIPS.insert(tx, one)


def delete_step(port: str, name: str) -> Step:
    return (
        lambda model: model.pop((port, name), None) is not None,
        lambda tx: SHIPS.delete(tx, port, name),
    )


def swap_step(one: Ship, version: int) -> Step:
    def modelled(model: Model) -> bool:
        stored = model.get((one.port, one.name))
        if stored is None or stored.version != version:
            return False
        model[one.port, one.name] = one
        return True

    return modelled, lambda tx: SHIPS.swap(tx, one, version=version)


def search_step(port: str, flag: str | None) -> Step:
    def modelled(model: Model) -> tuple[list[Ship], int, Ship | None]:
        flown = [model[key] for key in sorted(model) if model[key].flag == flag]
        moored = sorted(
            (one for one in model.values() if one.port == port),
            key=lambda one: (one.crew, one.name),
        )
        return flown, len(moored), moored[0] if moored else None

    return modelled, lambda tx: (
        OF_FLAG.all(tx, flag=flag),
        OF_PORT.count(tx, port=port),
        OF_PORT.first(tx, port=port),
    )


def clear_step(port: str, wanted: list[str]) -> Step:
    def modelled(model: Model) -> int:
        gone = [key for key in model if key[0] == port and key[1] in wanted]
        for key in gone:
            del model[key]
        return len(gone)

    return modelled, lambda tx: NAMED.delete(tx, port=port, name=wanted)


PORTS = st.sampled_from(["kiel", "Kiel", "øre"])
NAMES = st.sampled_from(["a", "B", "c%s", ":d", ""])
FLAGS = st.sampled_from([None, "de", "dk"])
SHIPS_DRAWN = st.builds(
    lambda port, name, flag, crew, cargo, version: ship(
        name, port, flag=flag, crew=crew, cargo=cargo, version=version
    ),
    PORTS,
    NAMES,
    FLAGS,
    st.integers(-3, 3),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.integers(1, 3),
)
STEPS = st.one_of(
    SHIPS_DRAWN.map(put_step),
    SHIPS_DRAWN.map(insert_step),
    st.builds(delete_step, PORTS, NAMES),
    SHIPS_DRAWN.flatmap(
        lambda one: (
            st.integers(1, 3)
            .filter(lambda version: version != one.version)
            .map(lambda version: swap_step(one, version))
        )
    ),
    st.builds(search_step, PORTS, FLAGS),
    st.builds(clear_step, PORTS, st.lists(NAMES, max_size=3)),
)


def check_equals_a_dictionary(db: Database) -> None:
    """Try the law on an open database."""

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.lists(st.tuples(st.lists(STEPS, max_size=6), st.booleans())))
    def law(works: list[tuple[list[Step], bool]]) -> None:
        run(db, ALL.delete)
        model: Model = {}
        for steps, raises in works:
            trial = dict(model)
            expected = [modelled(trial) for modelled, _ in steps]

            def work(tx: Transaction, steps=steps, raises=raises) -> list[object]:
                results = [act(tx) for _, act in steps]
                if raises:
                    raise Validation
                return results

            if raises:
                with pytest.raises(Validation):
                    run(db, work)
            else:
                assert run(db, work) == expected
                model = trial
            assert look(db, ALL.all) == [model[key] for key in sorted(model)]

    law()
