"""The log: text for people on a terminal, else one JSON line for each record.

A line carries the time, the level, the logger and the message, and where it is about a request
its id, account, operation, code and milliseconds. Control characters are escaped, lines are
bounded, and no secret is ever handed to a logger.

A request costs one line, and a line that is written by itself costs more than the rest of a small
request; so a thread writes what has gathered, ten times a second. Errors are written at once.
"""

import logging
import sys
import threading
from pathlib import Path

import msgspec

from moorage.ground.instant import from_epoch, iso

LINE_LENGTH_MAX = 8192
LINES_WAITING_MAX = 50_000
BACKUPS = 3
WRITE_PERIOD_SECONDS = 0.1
MEMBERS = ("request_id", "account", "operation", "code", "milliseconds")
_ENCODER = msgspec.json.Encoder()


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a JSON object."""
        told = record.__dict__
        line: dict[str, object] = {
            "at": iso(from_epoch(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:LINE_LENGTH_MAX],
        }
        line.update({name: told[name] for name in MEMBERS if name in told})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)[-LINE_LENGTH_MAX:]
        return _ENCODER.encode(line).decode()


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


class GatheredFile(logging.Handler):
    """Writes lines to a file in the background, and turns it over when it has grown."""

    def __init__(self, path: Path, bytes_max: int) -> None:
        """Open, and append; what is there counts towards `bytes_max`."""
        super().__init__()
        self._path = path
        self._bytes_max = bytes_max
        self._lines: list[str] = []
        self._left_out = 0
        self._file = path.open("ab", buffering=0)
        self._size = path.stat().st_size
        self._writing = threading.Lock()
        self._something = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._write_on, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line in; an error is written before this returns."""
        if len(self._lines) < LINES_WAITING_MAX:
            self._lines.append(self.format(record))
        else:
            self._left_out += 1
        self._something.set()
        if record.levelno >= logging.ERROR:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered. A disk that is full costs lines, and nothing else."""
        with self._writing:
            lines, self._lines = self._lines, []
            if self._left_out:
                lines.append(
                    _ENCODER.encode({"message": f"{self._left_out} lines left out"}).decode()
                )
                self._left_out = 0
            if not lines or self._file.closed:
                return
            text = ("\n".join(lines) + "\n").encode()
            try:
                self._turn_over(len(text))
                self._file.write(text)
                self._size += len(text)
            except OSError:
                self._left_out += len(lines)

    def close(self) -> None:
        """Write the rest and let go of the file."""
        self._ending.set()
        self._something.set()
        self.flush()
        self._file.close()
        super().close()

    def _write_on(self) -> None:
        while not self._ending.is_set():
            self._something.wait()
            self._something.clear()
            self._ending.wait(WRITE_PERIOD_SECONDS)
            self.flush()

    def _turn_over(self, more_bytes: int) -> None:
        if self._size + more_bytes <= self._bytes_max or not self._size:
            return
        for number in range(BACKUPS, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path.with_name(f"{self._path.name}.{number - 1}")
            source = newer if number > 1 else self._path
            if source.exists():
                source.replace(older)
        self._file.close()
        self._file = self._path.open("ab", buffering=0)
        self._size = 0


def begin(folder: Path | None, name: str, file_mib: int) -> None:
    """Send all logs to `folder/NAME.log`, turned over at `file_mib`; without a folder to stderr."""
    handler: logging.Handler
    if folder is None:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(Text() if sys.stderr.isatty() else JsonLines())
    else:
        handler = GatheredFile(folder / f"{name}.log", file_mib * 1024 * 1024)
        handler.setFormatter(JsonLines())
    # Nobody is shown in which thread, process and line a record was made; finding out costs more
    # than the record itself ("Optimization" in Python's logging HOWTO).
    logging._srcfile = None  # noqa: SLF001 - as the HOWTO says
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # What they warn of is the doing of clients, such as docker asking whether we speak TLS.
    for noisy in ("uvicorn.access", "uvicorn.error", "uvicorn", "websockets"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
