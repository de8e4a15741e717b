"""What the tests of signatures share: one key, one moment, and a request that is soundly signed."""

from urllib.parse import urlsplit

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from moorage.ground.instant import Instant
from moorage.wire.canonical import Credentials, basic_from_http_date, parse_basic_date
from moorage.wire.request import Request
from moorage.wire.sigv4 import Verified, sign, verify

KEY = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
CREDENTIALS = Credentials(access_key_id=KEY, secret_access_key=SECRET)
REGION = "us-east-1"
SERVICE = "ecs"
NOW = parse_basic_date("20261123T031137Z")
VERIFIED = Verified(access_key_id=KEY, region=REGION, service=SERVICE)

PLAIN = Request(
    method="POST",
    path="/",
    headers=(
        ("host", "127.0.0.1:4750"),
        ("user-agent", "aws-cli/2.27"),
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "AmazonEC2ContainerServiceV20141113.ListClusters"),
    ),
    body=b"{}",
)
SIGNED = sign(PLAIN, CREDENTIALS, SERVICE, REGION, NOW)


def check(request: Request, now: Instant = NOW, service: str = SERVICE, lookup=None) -> Verified:
    """Verify with the one key that exists."""
    return verify(request, lookup or {KEY: SECRET}.get, now, service, {REGION})


def with_header(request: Request, name: str, value: str | None) -> Request:
    """The request with one header replaced, added, or taken away where `value` is None."""
    others = tuple(pair for pair in request.headers if pair[0] != name)
    headers = others if value is None else (*others, (name, value))
    return Request(
        method=request.method,
        path=request.path,
        query=request.query,
        headers=headers,
        body=request.body,
    )


def signed_by_botocore(request: AWSRequest, *, in_query: bool, expires: int = 3600):
    """A request that botocore signed, as it arrives, and the moment at which it did."""
    credentials = BotocoreCredentials(KEY, SECRET)
    if in_query:
        SigV4QueryAuth(credentials, SERVICE, REGION, expires=expires).add_auth(request)
    else:
        SigV4Auth(credentials, SERVICE, REGION).add_auth(request)
    prepared = request.prepare()
    url = urlsplit(prepared.url)
    headers = [(name.lower(), _text(value)) for name, value in prepared.headers.items()]
    if "host" not in {name for name, _ in headers}:
        headers.append(("host", url.netloc.rpartition("@")[2]))
    arrived = Request(
        method=prepared.method,
        path=url.path or "/",
        query=url.query,
        headers=tuple(headers),
        body=_octets(prepared.body),
    )
    query = dict(pair.partition("=")[::2] for pair in url.query.split("&"))
    date = query.get("X-Amz-Date") or arrived.get("x-amz-date")
    now = parse_basic_date(date or basic_from_http_date(arrived.get("date")))
    return arrived, now


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _octets(body: str | bytes | None) -> bytes:
    return body.encode() if isinstance(body, str) else body or b""
