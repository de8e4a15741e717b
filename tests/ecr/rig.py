"""A registry of its own for one test: a real database in memory, blobs, and the data plane."""

import asyncio
import hashlib
import json
from typing import Any

from moorage.blob.memory import MemoryBlobStore
from moorage.blob.store import BlobStore
from moorage.ecr import api
from moorage.ecr.distribution.memory import MemoryDesk, MemoryExchange
from moorage.ecr.distribution.route import Distribution
from moorage.ground.chance import SeededChance
from moorage.ground.clock import ManualClock
from moorage.ground.instant import Duration
from moorage.ground.principal import Kind, Principal
from moorage.iam.authorize import authorize
from moorage.iam.records.access_key import AccessKey
from moorage.iam.store import access_keys
from moorage.kernel.call import Call
from moorage.kernel.images import IMAGE_CLAIMS, TAG_DIGESTS, ImageClaim, claim_image
from moorage.kernel.paging import BINDING_KEY
from moorage.kernel.perform import check, perform
from moorage.kernel.site import Site
from moorage.shapes.ecr.authorization import GetAuthorizationTokenRequest
from moorage.shapes.ecr.repository import CreateRepositoryRequest
from moorage.shapes.oci.descriptor import CONFIG_DOCKER
from moorage.shapes.oci.index import INDEX_OCI
from moorage.shapes.oci.manifest import MANIFEST_DOCKER
from moorage.sql.engine import open_database

ACCOUNT, OTHER = "111111111111", "222222222222"
REGION, FAR = "us-east-1", "eu-west-1"
LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"
SITE = Site(names=("127.0.0.1:4750",), regions=(REGION, FAR))
TABLES = (*api.TABLES, TAG_DIGESTS, IMAGE_CLAIMS, access_keys.ACCESS_KEYS)


class OpenVault:
    """A vault that keeps nothing secret: the registry asks it for nothing."""

    def seal(self, secret: str) -> str:
        return secret

    def reveal(self, sealed: str) -> str:
        return sealed


def sha256(content: bytes) -> str:
    """The digest of some bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(content: bytes, kind: str) -> dict[str, Any]:
    return {"mediaType": kind, "digest": sha256(content), "size": len(content)}


def manifest(config: bytes, *layers: bytes, **members: Any) -> bytes:
    """Docker's manifest of an image."""
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_DOCKER,
            "config": descriptor(config, CONFIG_DOCKER),
            "layers": [descriptor(layer, LAYER_TYPE) for layer in layers],
            **members,
        }
    ).encode()


def index(*manifests: bytes) -> bytes:
    """An OCI index of images."""
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": INDEX_OCI,
            "manifests": [descriptor(one, MANIFEST_DOCKER) for one in manifests],
        }
    ).encode()


class Rig:
    """The registry, its clock and its store; speaks the API and /v2/."""

    def __init__(self, blobs: BlobStore | None = None) -> None:
        self.clock = ManualClock()
        self.blobs = blobs or MemoryBlobStore(self.clock)
        self.database = open_database(
            "sqlite://:memory:", clock=self.clock, chance=SeededChance(1), tables=TABLES
        )
        self.database.write(lambda tx: tx.key(BINDING_KEY)).result()
        self.runner = asyncio.Runner()
        self.start()

    def start(self) -> None:
        """Begin anew over the same rows and bytes, as a server that was restarted."""
        self.distribution = Distribution(
            desk=MemoryDesk(self.database, SITE, OpenVault()),
            blobs=self.blobs,
            clock=self.clock,
            chance=SeededChance(2),
            site=SITE,
        )

    def close(self) -> None:
        self.runner.close()
        self.database.close()

    def work(self, work, account=ACCOUNT, region=REGION, kind: Kind = "root", operation=""):
        """Run a work as a caller."""

        def run(tx):
            return work(
                Call(
                    tx=tx,
                    principal=self.key_of(tx, account, kind),
                    account=account,
                    region=region,
                    site=SITE,
                    vault=OpenVault(),
                    operation=operation,
                )
            )

        return self.database.write(run).result()

    def key_of(self, tx, account: str, kind: Kind) -> Principal:
        """The principal of an account, whose key is made when it is first used."""
        identity = f"AKIA{account}{kind}"
        if access_keys.get(tx, identity) is None:
            access_keys.put(
                tx,
                AccessKey(
                    id=identity, account=account, kind=kind, sealed_secret="", created_at=tx.now
                ),
            )
        return Principal(kind=kind, account=account, name="one", access_key_id=identity)

    def ask(self, operation, request, account=ACCOUNT, region=REGION, kind: Kind = "root"):
        """Call an operation of the API as the gateway does; raises its faults."""
        check(api.ECR, request)
        return self.work(
            lambda call: perform(call, operation, request, authorize),
            account,
            region,
            kind,
            operation.name,
        )

    def operation(self, name):
        """An operation of the API, by its name."""
        return api.ECR.operations[name]

    def call(self, name, account=ACCOUNT, region=REGION, **members):
        """Call an operation by its name, with the members of its request."""
        operation = self.operation(name)
        return self.ask(operation, operation.request(**members), account, region)

    def create(self, name="team/app", account=ACCOUNT, region=REGION, **members):
        """Make a repository."""
        operation = api.ECR.operations["CreateRepository"]
        request = CreateRepositoryRequest(repository_name=name, **members)
        return self.ask(operation, request, account, region).repository

    def claim(self, digest, name="team/app", holder="arn:aws:ecs:::service-revision/r"):
        """Let the cluster use an image."""
        self.work(
            lambda call: claim_image(
                call.tx,
                ImageClaim(
                    account=ACCOUNT,
                    region=REGION,
                    repository=name,
                    digest=digest,
                    holder=holder,
                    claimed_at=call.now,
                ),
            )
        )

    def login(self, account=ACCOUNT, region=REGION, kind: Kind = "root") -> str:
        """The Authorization header of a new token."""
        operation = api.ECR.operations["GetAuthorizationToken"]
        answer = self.ask(operation, GetAuthorizationTokenRequest(), account, region, kind)
        return f"Basic {answer.authorization_data[0].authorization_token}"

    def exchange(self, method, path, *pieces, query=None, auth=None, cut=False, **headers):
        """Send one request under /v2/; answers the exchange when it has ended, ClientCut or not."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if auth != "":
            named["authorization"] = auth or self.login()
        made = MemoryExchange(method, path, query or {}, named, pieces, cut)
        self.runner.run(self.distribution.answer(made))
        return made

    def push_blob(self, content: bytes, name="team/app", auth=None) -> str:
        """Push a blob in one request."""
        digest = sha256(content)
        made = self.exchange(
            "POST", f"/v2/{name}/blobs/uploads/", content, query={"digest": digest}, auth=auth
        )
        assert made.status == 201, made.body
        return digest

    def push(self, tag, *layers: bytes, config=b"{}", name="team/app", auth=None) -> str:
        """Push an image; answers its digest."""
        for content in (config, *layers):
            self.push_blob(content, name, auth)
        return self.push_manifest(tag, manifest(config, *layers), name=name, auth=auth)

    def push_manifest(self, reference, body, kind=MANIFEST_DOCKER, name="team/app", auth=None):
        """Push a manifest; answers its digest."""
        made = self.exchange(
            "PUT", f"/v2/{name}/manifests/{reference}", body, auth=auth, content_type=kind
        )
        assert made.status == 201, made.body
        return made.answered["docker-content-digest"]

    def sweep(self, *advance: Duration, expiry: Duration) -> None:
        """Let time pass, then sweep."""
        for duration in advance:
            self.clock.advance(duration)
        self.runner.run(self.distribution.sweep(expiry))


def code_of(made: MemoryExchange) -> str:
    """The OCI error code of a refusal."""
    return json.loads(made.body)["errors"][0]["code"]
