"""/v2/NAME/tags/list: the tags of a repository in pages, each with a Link to the next (RFC 8288)."""

from urllib.parse import urlencode

import msgspec

from moorage.ecr.distribution.errors import Refused
from moorage.ecr.distribution.visit import Visit
from moorage.ecr.operations import pull
from moorage.kernel.call import Call

# ECR shows at most so many tags a page.
TAGS_MAX = 1000
COUNT_DIGITS_MAX = 9


async def get(visit: Visit) -> None:
    """List tags in the order of their names, after `last`, at most `n`."""
    query = visit.exchange.query
    text = query.get("n", str(TAGS_MAX))
    if not (text.isascii() and text.isdigit() and len(text) <= COUNT_DIGITS_MAX):
        raise Refused("PAGINATION_NUMBER_INVALID", "n must be a number of tags")
    last = query.get("last", "")
    if not last.isascii() or "\0" in last:
        raise Refused("TAG_INVALID", "last must be a tag")
    limit = min(int(text), TAGS_MAX)

    def work(call: Call) -> tuple[list[str], bool]:
        return pull.list_tags(call, pull.the_repository(call, visit.name), last, limit)

    found, more = await visit.read(work)
    headers = {"content-type": "application/json"}
    if more and found:
        following = urlencode({"last": found[-1], "n": limit})
        headers["link"] = f'<{visit.location("tags", "list")}?{following}>; rel="next"'
    body = msgspec.json.encode({"name": visit.prefix.removeprefix("/v2/"), "tags": found})
    await visit.answer(200, headers, body)
