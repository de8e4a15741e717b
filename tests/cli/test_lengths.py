import pytest

from moorage.cli.lengths import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("1h", 3600), ("7d", 604800), ("0s", 0), ("999999s", 999999)],
)
def test_a_length_has_a_number_and_a_unit(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "1", "h", "-1h", "1.5h", "1 h", "1w", "1h30m", "1234567s", "١h"]
)
def test_anything_else_is_no_length(text):
    assert seconds_of(text) is None
