"""Files that `moorage check` reads, and how it shows what becomes of each member."""

import io

import pytest
import typer
from rich.console import Console

from moorage.cli.check import read, show, unwrapped
from moorage.shapes.moorage.check import CheckDefinitionResponse, Finding, HostShare


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.json", '{"family": "a"}', {"family": "a"}),
        ("a.yaml", "family: a\ncpu: 256\n", {"family": "a", "cpu": 256}),
        ("a.YML", '{"family": "a"}', {"family": "a"}),
        ("a", '{"family": "a"}', {"family": "a"}),
    ],
)
def test_json_and_yaml_are_read_by_the_files_name(tmp_path, name, text, found):
    file = tmp_path / name
    file.write_text(text)
    assert read(str(file)) == found


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.json", "family: a", "is not valid JSON"),
        ("a.yaml", "a: [", "is not YAML"),
        ("a.yaml", "at: 2026-01-01", "is not YAML that JSON could say"),
        ("a.yaml", "!!python/object:os.system {}", "is not YAML"),
        ("a.json", '"' + "x" * 300_000 + '"', "is longer than"),
    ],
)
def test_what_cannot_be_read_says_so(tmp_path, capsys, name, text, words):
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(typer.Exit):
        read(str(file))
    assert words in capsys.readouterr().err


def test_what_a_describe_call_wraps_is_unwrapped():
    assert unwrapped({"taskDefinition": {"family": "a"}}) == {"family": "a"}
    assert unwrapped({"serviceName": "a", "taskDefinition": "b"})["serviceName"] == "a"
    assert unwrapped([]) == []


def test_what_is_not_plain_stands_first_and_can_do_nothing():
    out = io.StringIO()
    answer = CheckDefinitionResponse(
        kind="service",
        headline="It is sound.\x1b[2J",
        findings=[
            Finding(member="memry", verdict="unknown", text="ignored"),
            Finding(member="family", verdict="runs"),
        ],
        asked=4,
        fits=3,
        hosts=[HostShare(host="h1", tasks=3)],
    )
    show(Console(file=out, width=100, highlight=False), answer)
    text = out.getvalue()
    assert "\x1b" not in text
    assert text.index("no such member") < text.index("Acted on: family")
    assert "Of 4 tasks 3 find a host now (h1: 3)." in text
