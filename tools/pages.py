"""Generated pages of the manual: written, or compared with what is there."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"


def publish(pages: dict[str, str]) -> int:
    """Write the pages (file name to text) under docs/reference; with --check, only compare.

    Answers the exit code: 1 where --check found a page that is not as it would be written.
    """
    if "--check" not in sys.argv[1:]:
        REFERENCE.mkdir(parents=True, exist_ok=True)
        for name, text in pages.items():
            (REFERENCE / name).write_text(text)
        return 0
    stale = [name for name, text in pages.items() if present(REFERENCE / name) != text]
    for name in stale:
        print(f"docs/reference/{name} is stale: make matrix diagrams")
    return int(bool(stale))


def present(path: Path) -> str:
    """The text of a file; none where it is missing."""
    return path.read_text() if path.is_file() else ""
