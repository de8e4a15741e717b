"""Lengths of time as people write them on a command line."""

import re

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LENGTH = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)


def seconds_of(text: str) -> int | None:
    """The seconds that `90s`, `15m`, `1h` or `7d` mean, or None where the text means none."""
    match = _LENGTH.fullmatch(text)
    return int(match[1]) * _UNITS[match[2]] if match else None


def words_of_seconds(seconds: float) -> str:
    """`45s`, `3m 20s`, `2h 5m` or `3d 4h`: the two largest units that matter."""
    left = max(int(seconds), 0)
    words: list[str] = []
    for unit, length in sorted(_UNITS.items(), key=lambda entry: -entry[1]):
        count, left = divmod(left, length)
        if count or words:
            words.append(f"{count}{unit}")
    shown = [word for word in words[:2] if not word.startswith("0")]
    return " ".join(shown) or "0s"
