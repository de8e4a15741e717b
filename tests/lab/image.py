"""Images for a lab, made and pushed without an engine: skopeo copies an archive to the registry."""

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

from tests.clients.processes import run
from tests.engine import busybox_layer

MEBIBYTE = 1 << 20
# Heeds SIGTERM at once, and ends with 7 where a test tells it to.
PROGRAM = "trap 'exit 0' TERM; trap 'echo as told; exit 7' USR1; echo here; sleep 86400 & wait"


def archive(path: Path, weight_mib: int = 0) -> None:
    """Write an image of busybox, and of so many MiB that cannot be compressed, to be loaded."""
    layers = [busybox_layer({})]
    if weight_mib:
        layers.append(_ballast(weight_mib))
    config = json.dumps(
        {
            "architecture": os.uname()
            .machine.replace("x86_64", "amd64")
            .replace("aarch64", "arm64"),
            "os": "linux",
            "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sh", "-c", PROGRAM]},
            "rootfs": {
                "type": "layers",
                "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers],
            },
        }
    ).encode()
    names = [f"{number}.tar" for number in range(len(layers))]
    index = [{"Config": "config.json", "RepoTags": None, "Layers": names}]
    parts = {"config.json": config, "manifest.json": json.dumps(index).encode()}
    with tarfile.open(path, "w") as tar:
        for name, content in (*parts.items(), *zip(names, layers, strict=True)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def push(path: Path, uri: str, password: str, certificates: Path) -> None:
    """Push an archive; `certificates` is a folder with the authority of the registry."""
    trust = ("--dest-cert-dir", str(certificates))
    login = ("--dest-creds", f"AWS:{password}")
    run(["skopeo", "copy", "--quiet", "--insecure-policy", *trust, *login,
         f"docker-archive:{path}", f"docker://{uri}"])  # fmt: skip


def _ballast(mebibytes: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("ballast")
        entry.size = mebibytes * MEBIBYTE
        tar.addfile(entry, io.BytesIO(os.urandom(entry.size)))
    return buffer.getvalue()
