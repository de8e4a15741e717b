"""Whether the installed AWS CLI heeds AWS_ENDPOINT_URL; an old one would talk to Amazon."""

import re
import shutil
import subprocess

# Service-specific endpoints came with AWS CLI 1.29.0 and 2.13.0 (July 2023).
OLDEST = {1: (1, 29, 0), 2: (2, 13, 0)}
VERSION_SECONDS_MAX = 20
_VERSION = re.compile(r"aws-cli/(\d+)\.(\d+)\.(\d+)")


def heeds_endpoint(version: tuple[int, int, int]) -> bool:
    """Whether an AWS CLI of this version heeds AWS_ENDPOINT_URL and `endpoint_url`."""
    oldest = OLDEST.get(version[0])
    return oldest is None or version >= oldest


def parse_version(text: str) -> tuple[int, int, int] | None:
    """The version in what `aws --version` prints, or None."""
    match = _VERSION.search(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def warning() -> str | None:
    """A warning about the `aws` on the PATH, or None where it is new enough or not there."""
    path = shutil.which("aws")
    if path is None:
        return None
    try:
        printed = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            timeout=VERSION_SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = parse_version(printed.stdout + printed.stderr)
    if version is None or heeds_endpoint(version):
        return None
    shown = ".".join(map(str, version))
    return (
        f"Warning: {path} is version {shown}, which ignores AWS_ENDPOINT_URL and would talk to "
        "Amazon. Use a newer one (this project's .venv/bin/aws), or pass --endpoint-url each time."
    )
