"""A failed fsync ends the process; other failures get names."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from moorage.blob.medium import named_failures
from moorage.blob.store import StoreFailed, StoreFull

ROOT = Path(__file__).parents[2]
# A pipe cannot be synced: the kernel answers EINVAL.
PROGRAM = """
import os, sys
from pathlib import Path
from moorage.blob.medium import Medium
try:
    Medium().sync(os.pipe()[1], doomed=Path(sys.argv[1]))
finally:
    print("went on")
"""


def test_a_failed_fsync_removes_the_file_and_ends_the_process_at_once(tmp_path):
    doomed = tmp_path / "doomed"
    doomed.write_text("looks whole")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, doomed],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == os.EX_IOERR
    assert done.stdout == ""
    assert done.stderr.startswith("moorage: fsync failed ([Errno 22]")
    assert done.stderr.count("\n") == 1
    assert not doomed.exists()


@pytest.mark.parametrize(
    ("number", "refusal"),
    [
        (errno.ENOSPC, StoreFull),
        (errno.EDQUOT, StoreFull),
        (errno.EIO, StoreFailed),
        (errno.EROFS, StoreFailed),
        (errno.EMFILE, StoreFailed),
        (errno.ELOOP, StoreFailed),
        (errno.ENOENT, StoreFailed),
    ],
)
def test_failures_of_the_file_system_have_names(number, refusal):
    with pytest.raises(refusal) as refused, named_failures("while testing"):
        raise OSError(number, os.strerror(number))
    assert "while testing" in str(refused.value)
    assert isinstance(refused.value.__cause__, OSError)
