"""The log: text for people on a terminal, else one JSON line for each record.

A line carries the time, the level, the logger and the message, and where it is about a request
its id, account, operation, code and milliseconds. Control characters are escaped, lines are
bounded, and no secret is ever handed to a logger.
"""

import json
import logging
import logging.handlers
import sys
from pathlib import Path

from moorage.ground.instant import from_epoch, iso

LINE_LENGTH_MAX = 8192
BACKUPS = 3
MEMBERS = ("request_id", "account", "operation", "code", "milliseconds")


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a JSON object."""
        line: dict[str, object] = {
            "at": iso(from_epoch(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:LINE_LENGTH_MAX],
        }
        line.update({name: getattr(record, name) for name in MEMBERS if hasattr(record, name)})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)[-LINE_LENGTH_MAX:]
        return json.dumps(line, ensure_ascii=True)


class Text(logging.Formatter):
    """A line for people."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line of text, without control characters."""
        told = " ".join(
            str(getattr(record, name)) for name in MEMBERS if getattr(record, name, "") != ""
        )
        at = iso(from_epoch(record.created))[11:23]
        text = f"{at} {record.levelname.lower():7} {record.getMessage()} {told}".rstrip()
        text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)[:LINE_LENGTH_MAX]
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return text


def begin(folder: Path | None, name: str, file_mib: int) -> None:
    """Send all logs to `folder/NAME.log`, turned over at `file_mib`; without a folder to stderr."""
    handler: logging.Handler
    if folder is None:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(Text() if sys.stderr.isatty() else JsonLines())
    else:
        handler = logging.handlers.RotatingFileHandler(
            folder / f"{name}.log", maxBytes=file_mib * 1024 * 1024, backupCount=BACKUPS
        )
        handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # What they warn of is the doing of clients, such as docker asking whether we speak TLS.
    for noisy in ("uvicorn.access", "uvicorn.error", "uvicorn", "websockets"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
