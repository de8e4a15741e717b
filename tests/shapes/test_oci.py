"""The documents of registries, as their specifications print them."""

import msgspec
import pytest

from moorage.shapes.oci.descriptor import Descriptor, Platform
from moorage.shapes.oci.errors import ERROR_CODES, Error, ErrorBody
from moorage.shapes.oci.index import INDEX_OCI, Index
from moorage.shapes.oci.manifest import MANIFEST_OCI, Manifest

DIGEST = "sha256:" + "a" * 64
MANIFEST = {
    "schemaVersion": 2,
    "mediaType": MANIFEST_OCI,
    "artifactType": "application/vnd.example+type",
    "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": DIGEST, "size": 2},
    "layers": [{"mediaType": "x/y", "digest": DIGEST, "size": 3, "annotations": {"k": "v"}}],
    "subject": {"mediaType": MANIFEST_OCI, "digest": DIGEST, "size": 4},
    "annotations": {"com.example.key": "value"},
}
INDEX = {
    "schemaVersion": 2,
    "mediaType": INDEX_OCI,
    "manifests": [
        {
            "mediaType": MANIFEST_OCI,
            "digest": DIGEST,
            "size": 7143,
            "platform": {
                "architecture": "ppc64le",
                "os": "linux",
                "os.version": "1.2",
                "os.features": ["win32k"],
                "variant": "v7",
            },
        }
    ],
}


@pytest.mark.parametrize(("document", "struct"), [(MANIFEST, Manifest), (INDEX, Index)])
def test_a_document_is_read_whole(document, struct):
    read = msgspec.json.decode(msgspec.json.encode(document), type=struct)
    assert msgspec.json.decode(msgspec.json.encode(read)) == document


def test_members_that_have_dots_on_the_wire():
    read = msgspec.json.decode(msgspec.json.encode(INDEX), type=Index)
    assert read.manifests[0].platform == Platform(
        architecture="ppc64le", os="linux", os_version="1.2", os_features=["win32k"], variant="v7"
    )


@pytest.mark.parametrize("broken", [{"size": -1}, {"size": 2**63}, {"size": "1"}, {"digest": None}])
def test_a_descriptor_that_is_none(broken):
    document = {"mediaType": "x/y", "digest": DIGEST, "size": 1} | broken
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(document), type=Descriptor)


# OCI distribution specification 1.1, "Error Codes": code-1 to code-14.
SPECIFIED = {
    "BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID",
    "MANIFEST_BLOB_UNKNOWN", "MANIFEST_INVALID", "MANIFEST_UNKNOWN", "NAME_INVALID",
    "NAME_UNKNOWN", "SIZE_INVALID", "UNAUTHORIZED", "DENIED", "UNSUPPORTED", "TOOMANYREQUESTS",
}  # fmt: skip


def test_every_specified_code_has_a_status_and_a_sentence():
    assert set(ERROR_CODES) >= SPECIFIED
    for code in ERROR_CODES.values():
        assert 400 <= code.status < 600
        assert code.sentence


def test_the_body_of_a_refusal():
    body = ErrorBody(errors=[Error(code="NAME_UNKNOWN", message="m", detail=msgspec.Raw(b"[1]"))])
    assert msgspec.json.encode(body) == (
        b'{"errors":[{"code":"NAME_UNKNOWN","message":"m","detail":[1]}]}'
    )
