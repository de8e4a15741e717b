"""Who is let in under /v2/."""

import base64
import json

import pytest

from moorage.ground.instant import hours, seconds
from moorage.ground.record import evolve
from moorage.iam.store import access_keys
from tests.ecr.rig import ACCOUNT, FAR, OTHER, code_of, sha256


def test_a_token_opens_the_door(rig):
    made = rig.exchange("GET", "/v2/")
    assert made.status == 200
    assert made.answered["docker-distribution-api-version"] == "registry/2.0"
    assert json.loads(made.body) == {}


@pytest.mark.parametrize(
    "auth",
    [
        "",
        "Basic",
        "Bearer x",
        "Basic " + base64.b64encode(b"AWS:guess").decode(),
        "Basic " + base64.b64encode(b"root:guess").decode(),
    ],
)
def test_nobody_else_comes_in(rig, auth):
    for path in ("/v2/", "/v2/team/app/tags/list", "/v2/nothing"):
        made = rig.exchange("GET", path, auth=auth)
        assert made.status == 401
        assert code_of(made) == "UNAUTHORIZED"
        assert made.answered["www-authenticate"].startswith('Basic realm="http://127.0.0.1:4750/"')


def test_a_token_ends_after_twelve_hours_also_one_that_was_used(rig):
    auth = rig.login()
    assert rig.exchange("GET", "/v2/", auth=auth).status == 200
    rig.clock.advance(hours(12))
    rig.clock.advance(seconds(1))
    assert rig.exchange("GET", "/v2/", auth=auth).status == 401


def test_a_token_ends_within_seconds_of_the_key_that_asked_for_it(rig):
    auth = rig.login()
    assert rig.exchange("GET", "/v2/", auth=auth).status == 200
    rig.database.write(lambda tx: access_keys.delete(tx, f"AKIA{ACCOUNT}root")).result()
    rig.clock.advance(seconds(5))
    assert rig.exchange("GET", "/v2/", auth=auth).status == 401


def test_a_host_pulls_no_more_within_seconds_of_its_deregistration(rig):
    rig.create()
    rig.push("v1", b"layer")
    auth = rig.login(kind="host")
    assert rig.exchange("GET", "/v2/team/app/manifests/v1", auth=auth).status == 200

    def retire(tx):
        key = access_keys.get(tx, f"AKIA{ACCOUNT}host")
        access_keys.put(tx, evolve(key, retired=True))

    rig.database.write(retire).result()
    rig.clock.advance(seconds(5))
    assert rig.exchange("GET", "/v2/team/app/manifests/v1", auth=auth).status == 401


def test_the_token_says_whose_registry_a_short_name_means(rig):
    """T07: the same name in two accounts and two regions are four repositories."""
    where = [(ACCOUNT, "us-east-1"), (ACCOUNT, FAR), (OTHER, "us-east-1"), (OTHER, FAR)]
    for number, (account, region) in enumerate(where):
        rig.create(account=account, region=region)
        auth = rig.login(account, region)
        rig.push(f"v{number}", f"layer {number}".encode(), auth=auth)
    for number, (account, region) in enumerate(where):
        made = rig.exchange("GET", "/v2/team/app/tags/list", auth=rig.login(account, region))
        assert json.loads(made.body)["tags"] == [f"v{number}"]


def test_the_long_form_always_works_within_the_account(rig):
    rig.create(region=FAR)
    name = f"{ACCOUNT}/{FAR}/team/app"
    auth = rig.login()
    digest = rig.push("v1", b"layer", name=name, auth=auth)
    made = rig.exchange("GET", f"/v2/{name}/manifests/v1", auth=auth)
    assert made.answered["docker-content-digest"] == digest
    made = rig.exchange("POST", f"/v2/{name}/blobs/uploads/", auth=auth)
    assert made.answered["location"].startswith(f"/v2/{name}/blobs/uploads/")
    assert rig.exchange("GET", "/v2/team/app/manifests/v1", auth=auth).status == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_another_accounts_registry_is_denied(rig, method):
    rig.create(account=OTHER)
    rig.push("v1", b"layer", auth=rig.login(OTHER))
    for name in ("team/app", "no/such"):
        path = f"/v2/{OTHER}/us-east-1/{name}/manifests/v1"
        made = rig.exchange(method, path, b"{}")
        assert made.status == 403


def test_a_region_that_is_not_here(rig):
    made = rig.exchange("GET", f"/v2/{ACCOUNT}/ap-south-1/team/app/tags/list")
    assert (made.status, code_of(made)) == (404, "NAME_UNKNOWN")


def test_a_host_only_pulls(rig):
    rig.create()
    digest = rig.push("v1", b"layer")
    auth = rig.login(kind="host")
    assert rig.exchange("GET", "/v2/team/app/manifests/v1", auth=auth).status == 200
    blob = f"/v2/team/app/blobs/{sha256(b'layer')}"
    assert rig.exchange("GET", blob, auth=auth).status == 200
    refused = [
        rig.exchange("POST", "/v2/team/app/blobs/uploads/", auth=auth),
        rig.exchange("PUT", "/v2/team/app/manifests/v2", b"{}", auth=auth),
        rig.exchange("DELETE", f"/v2/team/app/manifests/{digest}", auth=auth),
        rig.exchange("DELETE", blob, auth=auth),
    ]
    assert [(made.status, code_of(made)) for made in refused] == [(403, "DENIED")] * 4


def test_many_tokens_are_known_at_once_and_few_kept(rig):
    first = rig.login()
    assert rig.exchange("GET", "/v2/", auth=first).status == 200
    for _ in range(1100):
        assert rig.exchange("GET", "/v2/", auth=rig.login()).status == 200
    assert len(rig.distribution._logins._kept) <= 1024
    assert rig.exchange("GET", "/v2/", auth=first).status == 200
