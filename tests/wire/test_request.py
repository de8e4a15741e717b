from moorage.wire.request import Request, Response

HEADERS = (("a", "1"), ("b", "2"), ("a", "3"))


def test_a_header_is_found_by_name():
    request = Request(method="GET", path="/", headers=HEADERS)
    assert request.get("a") == "1"
    assert request.getall("a") == ["1", "3"]
    assert request.get("c") is None
    assert request.getall("c") == []


def test_an_answers_header_too():
    assert Response(status=200, headers=HEADERS).get("b") == "2"
    assert Response(status=200).get("b") is None
