"""Paths, methods, and that nothing under /v2/ is ever answered by a 5xx (T06)."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.ecr.distribution.exchange import ClientCut
from moorage.shapes.oci.errors import ERROR_CODES
from tests.ecr.rig import Rig, code_of, sha256


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v2/_catalog", 404, "UNSUPPORTED"),
        ("GET", "/v2/team/app", 404, "UNSUPPORTED"),
        ("GET", f"/v2/team/app/referrers/{sha256(b'')}", 404, "UNSUPPORTED"),
        ("GET", "/v2//tags/list", 404, "UNSUPPORTED"),
        ("GET", "/v2/Team/tags/list", 400, "NAME_INVALID"),
        ("GET", "/v2/../tags/list", 400, "NAME_INVALID"),
        ("GET", "/v2/a\0b/tags/list", 400, "NAME_INVALID"),
        ("GET", "/v2/ä/tags/list", 400, "NAME_INVALID"),
        ("GET", f"/v2/{'a' * 300}/tags/list", 400, "NAME_INVALID"),
        ("GET", "/v2/team/app\n/tags/list", 404, "UNSUPPORTED"),
        ("POST", "/v2/", 405, "UNSUPPORTED"),
        ("PATCH", "/v2/team/app/manifests/v1", 405, "UNSUPPORTED"),
        ("GET", "/v2/team/app/blobs/uploads/", 405, "UNSUPPORTED"),
        ("POST", f"/v2/team/app/blobs/{sha256(b'')}", 405, "UNSUPPORTED"),
        ("BREW", "/v2/team/app/tags/list", 405, "UNSUPPORTED"),
    ],
)
def test_where_nothing_is(rig, method, path, status, code):
    rig.create()
    made = rig.exchange(method, path)
    assert (made.status, code_of(made)) == (status, code)
    if status == 405:
        assert made.answered["allow"]


def test_a_refused_head_has_no_body(rig):
    made = rig.exchange("HEAD", "/v2/team/app/manifests/v1")
    assert (made.status, made.body) == (404, b"")
    assert int(made.answered["content-length"]) > 0


WORDS = st.sampled_from(
    [
        "v2",
        "team",
        "app",
        "blobs",
        "uploads",
        "manifests",
        "tags",
        "list",
        "..",
        "",
        "%2e",
        "\x00",
        "ä",
        "v1",
        "0" * 32,
        sha256(b"layer"),
        "sha256:x",
        "a" * 300,
        "111111111111",
        "us-east-1",
    ]
)
ANYWHERE = st.lists(WORDS | st.text(max_size=5), max_size=7).map("/".join)
THERE = st.sampled_from(
    ["manifests/v1", "tags/list", "blobs/uploads/", f"blobs/{sha256(b'layer')}"]
)
PATHS = ANYWHERE.map("/v2/{}".format) | THERE.map("/v2/team/app/{}".format)
METHODS = st.sampled_from(["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"])
VALUES = st.sampled_from(["0-4", "bytes=0-1", "x", "9" * 25, sha256(b"x"), "team/app", "", "ä\0"])
HEADERS = st.dictionaries(
    st.sampled_from(["range", "content_range", "content_length", "content_type", "if_range"]),
    VALUES,
    max_size=3,
)
QUERIES = st.dictionaries(st.sampled_from(["digest", "mount", "from", "n", "last"]), VALUES)


@pytest.fixture(scope="module")
def shared():
    """One registry for all requests: what one leaves behind, the next may meet."""
    rig = Rig()
    rig.create()
    rig.push("v1", b"layer")
    yield rig, rig.login()
    rig.close()


@settings(max_examples=300, deadline=None)
@given(
    method=METHODS,
    path=PATHS,
    query=QUERIES,
    headers=HEADERS,
    pieces=st.lists(st.binary(min_size=1), max_size=2),
    cut=st.booleans(),
)
def test_no_request_is_answered_by_a_fault_of_ours(
    shared, *, method, path, query, headers, pieces, cut
):
    rig, auth = shared
    try:
        made = rig.exchange(method, path, *pieces, query=query, auth=auth, cut=cut, **headers)
    except ClientCut:
        return
    assert 200 <= made.status < 500
    if made.status >= 400 and method != "HEAD":
        error = json.loads(made.body)["errors"][0]
        assert error["code"] in ERROR_CODES
        assert error["message"]
