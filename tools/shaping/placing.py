"""A file for every structure, so that imports between the files only go one way."""

import re
from collections import defaultdict

from shaping.homes import Home
from shaping.model import Model


def placed(model: Model, homes: tuple[Home, ...]) -> dict[str, list[str]]:
    """The structures of each file, each after the structures that it is made of."""
    rank = {home.file: place for place, home in enumerate(homes)}
    home_of = _anchored(model, homes)
    ordered = _ordered(model)
    users = defaultdict(set)
    for name in ordered:
        for part in model.parts(name):
            users[part].add(name)
    for name in reversed(ordered):  # users before what they use
        if name not in home_of:
            files = {home_of[user] for user in users[name] if user != name}
            home_of[name] = min(files, key=rank.__getitem__)
    _check_downward(model, home_of, rank)
    return {home.file: [n for n in ordered if home_of[n] == home.file] for home in homes}


def _anchored(model: Model, homes: tuple[Home, ...]) -> dict[str, str]:
    """The homes that the table names: of requests, responses and shapes."""
    home_of: dict[str, str] = {}
    for operation in model.operations:
        matching = [home for home in homes if re.fullmatch(home.operations, operation)]
        assert matching, f"{operation}: no home in the table"
        for end in (model.request(operation), model.response(operation)):
            home_of.setdefault(end, matching[0].file)
    for name in model.structures():
        for home in homes:
            if home.shapes and re.fullmatch(home.shapes, name) and name not in home_of:
                home_of[name] = home.file
    return home_of


def _ordered(model: Model) -> list[str]:
    """All structures, parts before wholes, by name where there is a choice."""
    done: dict[str, None] = {}
    under_way: set[str] = set()

    def visit(name: str) -> None:
        if name in done or name in under_way:
            return  # a structure may hold itself; the text quotes what is not written yet
        under_way.add(name)
        for part in sorted(model.parts(name)):
            visit(part)
        done[name] = None

    for name in model.structures():
        visit(name)
    return list(done)


def _check_downward(model: Model, home_of: dict[str, str], rank: dict[str, int]) -> None:
    for name, home in home_of.items():
        for part in model.parts(name):
            assert rank[home_of[part]] <= rank[home], (
                f"{name} ({home}) needs {part}, which lives in {home_of[part]}, further down"
            )
