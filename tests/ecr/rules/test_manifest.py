"""Manifests: what is sound, what is refused, and that nothing makes the parser raise (T13, T14)."""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecr.rules.manifest import (
    DESCRIPTORS_MAX,
    MANIFEST_BYTES_MAX,
    Parsed,
    Unsound,
    parse,
)
from moorage.shapes.oci.descriptor import CONFIG_DOCKER, CONFIG_OCI
from moorage.shapes.oci.index import INDEX_DOCKER, INDEX_OCI
from moorage.shapes.oci.manifest import MANIFEST_DOCKER, MANIFEST_OCI
from tests.ecr.rig import LAYER_TYPE, descriptor, index, manifest, sha256

CONFIG, LAYER = b"config", b"layer"
OCI = {
    "schemaVersion": 2,
    "config": descriptor(CONFIG, CONFIG_OCI),
    "layers": [descriptor(LAYER, "application/vnd.oci.image.layer.v1.tar")],
}
FOREIGN = {
    **descriptor(b"far", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
    "urls": ["https://elsewhere/layer"],
}


def test_an_image_names_its_configuration_and_layers():
    assert parse(manifest(CONFIG, LAYER, LAYER), MANIFEST_DOCKER) == Parsed(
        media_type=MANIFEST_DOCKER,
        blobs=(sha256(CONFIG), sha256(LAYER)),
        size=len(CONFIG) + 2 * len(LAYER),
        artifact_type=CONFIG_DOCKER,
    )


def test_an_index_names_manifests():
    one, two = manifest(CONFIG), manifest(LAYER)
    assert parse(index(one, two), INDEX_OCI) == Parsed(
        media_type=INDEX_OCI, manifests=(sha256(one), sha256(two))
    )


def test_layers_from_elsewhere_are_not_demanded():
    body = manifest(CONFIG, layers=[FOREIGN, descriptor(LAYER, LAYER_TYPE)])
    parsed = parse(body, MANIFEST_DOCKER)
    assert isinstance(parsed, Parsed)
    assert parsed.blobs == (sha256(CONFIG), sha256(LAYER))
    assert parsed.size == len(CONFIG) + 3 + len(LAYER)


@pytest.mark.parametrize(
    ("kind", "members", "expected"),
    [
        (MANIFEST_OCI, {}, MANIFEST_OCI),
        ("", {}, MANIFEST_OCI),
        ("", {"mediaType": MANIFEST_OCI}, MANIFEST_OCI),
        (MANIFEST_OCI, {"artifactType": "a/b"}, MANIFEST_OCI),
        (MANIFEST_OCI, {"subject": descriptor(b"s", MANIFEST_OCI)}, MANIFEST_OCI),
    ],
)
def test_oci_manifests_may_leave_their_type_out(kind, members, expected):
    parsed = parse(json.dumps({**OCI, **members}).encode(), kind)
    assert isinstance(parsed, Parsed)
    assert parsed.media_type == expected
    assert parsed.subject == (sha256(b"s") if "subject" in members else None)
    assert parsed.artifact_type == members.get("artifactType", CONFIG_OCI)


DOCKER = json.loads(manifest(CONFIG, LAYER))
LIST = json.loads(index(manifest(CONFIG)))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (MANIFEST_OCI, DOCKER),
        (INDEX_OCI, DOCKER),
        (INDEX_DOCKER, LIST),
        (MANIFEST_DOCKER, LIST),
        ("application/json", DOCKER),
        ("application/vnd.docker.distribution.manifest.v1+prettyjws", {"schemaVersion": 1}),
        (MANIFEST_DOCKER, {**DOCKER, "schemaVersion": 1}),
        (MANIFEST_DOCKER, {**DOCKER, "schemaVersion": "2"}),
        (MANIFEST_DOCKER, {name: DOCKER[name] for name in DOCKER if name != "mediaType"}),
        (MANIFEST_DOCKER, {name: DOCKER[name] for name in DOCKER if name != "layers"}),
        (MANIFEST_DOCKER, {name: DOCKER[name] for name in DOCKER if name != "config"}),
        (MANIFEST_DOCKER, {**DOCKER, "manifests": []}),
        (INDEX_OCI, {**LIST, "layers": []}),
        (INDEX_OCI, {**LIST, "config": DOCKER["config"]}),
        (INDEX_OCI, {**LIST, "manifests": None}),
        (MANIFEST_DOCKER, {**DOCKER, "mediaType": 5}),
        (MANIFEST_DOCKER, {**DOCKER, "layers": "none"}),
        (MANIFEST_DOCKER, {**DOCKER, "layers": [{"digest": sha256(b"")}]}),
        (MANIFEST_DOCKER, {**DOCKER, "config": {**DOCKER["config"], "size": -1}}),
        (MANIFEST_DOCKER, {**DOCKER, "config": {**DOCKER["config"], "size": 2**63}}),
        (MANIFEST_DOCKER, {**DOCKER, "config": {**DOCKER["config"], "size": 2**63 - 1}}),
        (MANIFEST_DOCKER, {**DOCKER, "config": {**DOCKER["config"], "digest": "sha256:../x"}}),
        (MANIFEST_OCI, {**OCI, "subject": {**DOCKER["config"], "digest": "x"}}),
        (MANIFEST_DOCKER, {**DOCKER, "layers": DOCKER["layers"] * DESCRIPTORS_MAX}),
        ("", {}),
        ("", []),
        ("", 5),
    ],
)
def test_what_is_refused(kind, body):
    parsed = parse(json.dumps(body).encode(), kind)
    assert isinstance(parsed, Unsound)
    assert parsed.code == "MANIFEST_INVALID"
    assert parsed.reason


WHOLE = manifest(CONFIG, LAYER)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"\xef\xbb\xbf" + WHOLE,
        WHOLE[:-1],
        WHOLE + b"{}",
        b'{"schemaVersion":2,' + WHOLE[1:],
        b'{"x":NaN,' + WHOLE[1:],
        b'{"x":' + b"9" * 10_000 + b"," + WHOLE[1:],
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"," + WHOLE[1:],
        b'{"x":' + b"[" * 990 + b"]" * 990 + b"," + WHOLE[1:],
        b'{"artifactType":"\\ud800",' + WHOLE[1:],
    ],
)
def test_bodies_that_are_no_sound_json(body):
    assert isinstance(parse(body, MANIFEST_DOCKER), Unsound | Parsed)
    if not body.startswith((b'{"x":[', b'{"artifactType"')):
        assert isinstance(parse(body, MANIFEST_DOCKER), Unsound)


def test_a_manifest_has_a_longest_length():
    body = WHOLE + b" " * (MANIFEST_BYTES_MAX - len(WHOLE))
    assert isinstance(parse(body, MANIFEST_DOCKER), Parsed)
    refused = parse(body + b" ", MANIFEST_DOCKER)
    assert isinstance(refused, Unsound)
    assert refused.code == "SIZE_INVALID"


@pytest.mark.parametrize(
    "filling", [b"[],", b"{},", b"1.5,", b'"ab",', b'{"a":[1]},', b'"' + b"x" * 15 + b'",']
)
def test_a_bomb_costs_little_memory(filling):
    room = MANIFEST_BYTES_MAX - len(WHOLE) - 20
    body = b'{"x":[' + filling * (room // len(filling)) + b"0]," + WHOLE[1:]
    tracemalloc.start()
    try:
        parse(body, MANIFEST_DOCKER)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50 * 1024 * 1024


KINDS = st.sampled_from([MANIFEST_DOCKER, MANIFEST_OCI, INDEX_DOCKER, INDEX_OCI, "", "x/y"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary(max_size=200), KINDS)
def test_bytes_never_make_it_raise(body, kind):
    assert isinstance(parse(body, kind), Parsed | Unsound)


@given(
    st.sampled_from([DOCKER, OCI, LIST]),
    st.dictionaries(st.sampled_from([*DOCKER, "manifests", "subject", "x"]), VALUES, max_size=3),
    KINDS,
)
def test_no_member_makes_it_raise(sound, members, kind):
    assert isinstance(parse(json.dumps({**sound, **members}).encode(), kind), Parsed | Unsound)
