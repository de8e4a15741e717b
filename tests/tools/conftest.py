"""Tools are programs, not a package: they find each other beside themselves, and so do tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
