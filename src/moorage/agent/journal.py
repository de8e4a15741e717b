"""The agent's log: text for people on a terminal, else one JSON object a line, on stderr."""

import logging
import sys

import msgspec

from moorage.ground.instant import from_epoch, iso

LINE_LENGTH_MAX = 8192
LOGGER = "moorage.agent"


class Lines(logging.Formatter):
    """One record a line, control characters escaped; `host` is named in each."""

    def __init__(self, host: str, *, for_people: bool) -> None:
        """Write text where `for_people`, else JSON."""
        super().__init__()
        self._host = host
        self._for_people = for_people

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        at, message = iso(from_epoch(record.created)), record.getMessage()[:LINE_LENGTH_MAX]
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        if self._for_people:
            text = f"{at[11:23]} {record.levelname.lower():7} {self._host}: {message}"
            shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
            return f"{shown}\n{trace}" if trace else shown
        line = {
            "at": at,
            "level": record.levelname.lower(),
            "host": self._host,
            "message": message,
            **({"trace": trace[-LINE_LENGTH_MAX:]} if trace else {}),
        }
        return msgspec.json.encode(line).decode()


def begin(host: str) -> None:
    """Send the agent's log to stderr, in the form that suits it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(host, for_people=sys.stderr.isatty()))
    logger = logging.getLogger(LOGGER)
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
