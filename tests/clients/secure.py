"""A server that speaks TLS on an address that others can reach, and clients that verify it."""

import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.clients.place import Json, Place
from tests.clients.processes import Server


class SecureServer(Server):
    """`moorage serve` beyond loopback, by its own authority unless the flags give files."""

    def __init__(self, data: Path, host: str, *flags: str) -> None:
        super().__init__(data, *flags)
        self.address = f"{host}:{self.port}"
        self.url = f"https://{self.address}"

    @property
    def bundle(self) -> Path:
        """Whom its clients trust."""
        return self.data / "keys" / "ca.pem"

    def context(self, bundle: Path | None = None) -> ssl.SSLContext:
        """How a client that trusts `bundle` connects."""
        return ssl.create_default_context(cafile=str(bundle or self.bundle))

    def fetch(self, path: str, bundle: Path | None = None) -> bytes:
        """What it answers to a verified GET."""
        with urllib.request.urlopen(
            f"{self.url}{path}", timeout=5, context=self.context(bundle)
        ) as answer:
            found: bytes = answer.read()
            return found

    def healthy(self) -> bool:
        """Whether /healthz answers 200 to a client that verifies."""
        try:
            return bool(json.loads(self.fetch("/healthz")))
        except (urllib.error.URLError, OSError):
            return False


class SecurePlace(Place):
    """Everything of Moorage over TLS."""

    server: SecureServer

    def client(self, service: str, key: Json | None = None, **config: object) -> Any:
        """A boto3 client that verifies."""
        key = key or self.server.key()
        return boto3.session.Session().client(
            service,
            endpoint_url=self.server.url,
            region_name=key.get("region", "us-east-1"),
            aws_access_key_id=key["access_key_id"],
            aws_secret_access_key=key["secret_access_key"],
            verify=str(self.server.bundle),
            config=Config(retries={"total_max_attempts": 1}, read_timeout=30, **config),
        )

    def aws_environment(self) -> dict[str, str]:
        """What `moorage env` exports."""
        return {**super().aws_environment(), "AWS_CA_BUNDLE": str(self.server.bundle)}
