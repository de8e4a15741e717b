"""Words come from AWS and OCI: rule 14 of STYLE.md."""

import re
from pathlib import PurePath

import pytest

from tests.tidy.tree import classes, functions, python_files

BANNED = frozenset(
    ["manager", "helper", "helpers", "util", "utils", "base", "impl", "data", "info"]
)
# Words that are verbs or nouns of the field inside a longer function name: `data_folder`.
BANNED_INSIDE_FUNCTIONS = BANNED - {"base", "data", "info"}


def words(name: str) -> list[str]:
    """The words of a name in snake or camel case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_").split("_")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("TaskManager", ["task", "manager"]), ("_get_info", ["get", "info"]), ("base64", ["base64"])],
)
def test_a_name_falls_into_its_words(name, expected):
    assert words(name) == expected


def test_modules_and_classes_say_what_they_are():
    found = [
        f"{name}: {title}"
        for name in python_files("src", "tools")
        for title in [PurePath(name).stem, *(one.name for one in classes(name))]
        if BANNED.intersection(words(title))
    ]
    assert not found


def test_functions_say_what_they_decide():
    found = [
        f"{name}:{function.lineno} {function.name}"
        for name in python_files("src", "tools")
        for function in functions(name)
        if BANNED_INSIDE_FUNCTIONS.intersection(words(function.name))
        or words(function.name)[-1] in BANNED
    ]
    assert not found
