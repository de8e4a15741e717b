"""Signed requests by hand: whatever bytes one likes under a true signature, over one connection."""

import http.client
import json
import time
from typing import Any

from moorage.ground.instant import Instant, seconds
from moorage.wire.canonical import Credentials
from moorage.wire.request import Request
from moorage.wire.sigv4 import sign

TARGETS = {
    "ecs": "AmazonEC2ContainerServiceV20141113",
    "ecr": "AmazonEC2ContainerRegistry_V20150921",
}
JSON = "application/x-amz-json-1.1"


class Caller:
    """One access key, one connection."""

    def __init__(self, address: str, key: dict[str, str]) -> None:
        self.address = address
        self.key = Credentials(
            access_key_id=key["access_key_id"], secret_access_key=key["secret_access_key"]
        )
        self.connection = http.client.HTTPConnection(address, timeout=30)

    def request(self, service: str, operation: str, body: bytes, **headers: str) -> Request:
        """A request, not yet signed."""
        named = {
            "host": self.address,
            "content-type": JSON,
            "x-amz-target": f"{TARGETS.get(service, '')}.{operation}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return Request(method="POST", path="/", headers=tuple(named.items()), body=body)

    def signed(
        self, request: Request, service: str, region: str = "us-east-1", skew: float = 0
    ) -> Request:
        """The request with a signature, made `skew` seconds from now."""
        now = Instant(seconds(time.time() + skew))
        return sign(request, self.key, service, region, now)

    def send(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        """Send it; status, headers, body."""
        path = f"{request.path}?{request.query}" if request.query else request.path
        try:
            self.connection.request(request.method, path, request.body, dict(request.headers))
            answer = self.connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, told, answer.read()
        except OSError:
            self.connection.close()
            raise

    def call(self, service: str, operation: str, members: object) -> tuple[int, Any]:
        """Sign and send members as JSON; the status and the answer."""
        body = members if isinstance(members, bytes) else json.dumps(members).encode()
        request = self.signed(self.request(service, operation, body), service)
        status, _, text = self.send(request)
        return status, json.loads(text)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
