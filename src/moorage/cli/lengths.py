"""Lengths of time as people write them on a command line."""

import re

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LENGTH = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)


def seconds_of(text: str) -> int | None:
    """The seconds that `90s`, `15m`, `1h` or `7d` mean, or None where the text means none."""
    match = _LENGTH.fullmatch(text)
    return int(match[1]) * _UNITS[match[2]] if match else None
