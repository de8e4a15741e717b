"""What is pinned is pinned by hash alone: no lock names the place it was fetched from."""

import re

from tests.tidy.tree import text, tracked

LOCKS = [name for name in tracked() if name.startswith("requirements/") and name.endswith(".lock")]
FORBIDDEN_FILES = frozenset(
    [
        "uv.lock",
        "poetry.lock",
        "pylock.toml",
        "Pipfile.lock",
        "pdm.lock",
        "package-lock.json",
        "yarn.lock",
    ]
)
# Written in two halves, so that this file does not name them itself.
REGISTRIES = tuple(
    f"{host}.{domain}"
    for host, domain in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("proxy.golang", "org"),
        ("rubygems", "org"),
        ("anaconda", "org"),
    )
)


def test_locks_hold_hashes_and_no_address():
    assert LOCKS
    for name in LOCKS:
        pins = re.split(r"(?<!\\)\n", text(name).strip())
        assert not [pin for pin in pins if "--hash=sha256:" not in pin or "==" not in pin]
        assert "://" not in text(name)
        assert "--index" not in text(name)


def test_no_lock_of_a_kind_that_records_addresses():
    assert not [name for name in tracked() if name.rpartition("/")[2] in FORBIDDEN_FILES]


def test_no_file_names_a_package_registry():
    binary = (".png", ".ico", ".woff2", ".gz", ".tar")
    found = [
        (name, host)
        for name in tracked()
        if not name.endswith(binary)
        for host in REGISTRIES
        if host in text(name)
    ]
    assert not found
