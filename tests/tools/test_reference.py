import reference
from moorage.cli.main import COMMANDS
from moorage.gateway.settings import REASONS


def test_each_command_has_its_section_and_its_example():
    page = reference.command_line()
    for name in COMMANDS:
        assert f"## moorage {name}\n" in page
    assert page.count("Example: `") >= len(COMMANDS)


def test_each_setting_has_its_row_with_its_default():
    rows = {
        line.split("|")[1].strip(" `"): line
        for line in reference.settings().splitlines()[3:]
        if line.startswith("| `")
    }
    assert list(rows) == list(REASONS)
    assert "`127.0.0.1:4750`" in rows["listen"]
    assert "16 to 1,000,000" in rows["connections"]


def test_a_bar_in_a_text_does_not_part_a_cell():
    assert reference.cell("a|b") == r"a\|b"


def test_defaults_are_written_as_in_the_file():
    shown = [reference.shown_default(value) for value in (False, ("a", "b"), "", (), 40.0)]
    assert shown == ["`false`", "`a, b`", "", "", "`40.0`"]
