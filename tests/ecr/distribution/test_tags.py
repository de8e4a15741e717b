"""The list of tags, and its pages."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.ecr.rig import ACCOUNT, code_of, manifest

LIST = "/v2/team/app/tags/list"


def tagged(rig, *tags):
    rig.create()
    rig.push(tags[0], b"layer")
    for tag in tags[1:]:
        rig.push_manifest(tag, manifest(b"{}", b"layer"))


def test_in_order(rig):
    tagged(rig, "v2", "V1", "_x", "v10")
    made = rig.exchange("GET", LIST)
    assert json.loads(made.body) == {"name": "team/app", "tags": ["V1", "_x", "v10", "v2"]}
    assert made.answered["content-type"] == "application/json"
    assert "link" not in made.answered


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_pages_give_each_tag_once(rig, n):
    tags = ["a", "b", "c", "d", "e"]
    tagged(rig, *tags)
    seen, query = [], {"n": str(n)}
    for _ in range(len(tags)):
        made = rig.exchange("GET", LIST, query=query)
        seen += json.loads(made.body)["tags"]
        if "link" not in made.answered:
            break
        address, _, relation = made.answered["link"].partition("; ")
        assert relation == 'rel="next"'
        following = urlsplit(address.strip("<>"))
        assert following.path == LIST
        query = dict(parse_qsl(following.query))
    assert seen == tags


@pytest.mark.parametrize(
    ("query", "expected"),
    [({"last": "b"}, ["c"]), ({"last": "bb"}, ["c"]), ({"last": "z"}, []), ({"n": "0"}, [])],
)
def test_after_a_name(rig, query, expected):
    tagged(rig, "a", "b", "c")
    assert json.loads(rig.exchange("GET", LIST, query=query).body)["tags"] == expected


@pytest.mark.parametrize("query", [{"n": "x"}, {"n": "-1"}, {"n": "9" * 30}, {"n": "٣"}, {"n": ""}])
def test_numbers_that_are_none(rig, query):
    rig.create()
    assert rig.exchange("GET", LIST, query=query).status == 400


@pytest.mark.parametrize("last", ["\0", "ä", "\ud800"])
def test_names_that_are_none(rig, last):
    rig.create()
    made = rig.exchange("GET", LIST, query={"last": last})
    assert (made.status, code_of(made)) == (400, "TAG_INVALID")


def test_the_name_is_as_it_was_asked(rig):
    tagged(rig, "a")
    made = rig.exchange("GET", f"/v2/{ACCOUNT}/us-east-1/team/app/tags/list")
    assert json.loads(made.body)["name"] == f"{ACCOUNT}/us-east-1/team/app"


def test_of_no_repository(rig):
    made = rig.exchange("GET", LIST)
    assert (made.status, code_of(made)) == (404, "NAME_UNKNOWN")
