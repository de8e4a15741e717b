"""Every link inside the documentation leads somewhere."""

import re

import pytest

from tests.tidy.tree import ROOT, text, tracked

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
PAGES = [n for n in tracked() if n.endswith(".md") and (n.startswith("docs/") or "/" not in n)]


def anchor(heading: str) -> str:
    """The anchor that a heading gets, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(page: str) -> set[str]:
    """All anchors of a page."""
    prose = re.sub(r"^```.*?^```", "", text(page), flags=re.MULTILINE | re.DOTALL)
    return {anchor(found) for found in re.findall(r"^#+\s+(.*)$", prose, flags=re.MULTILINE)}


def broken(page: str, target: str) -> bool:
    """Whether a link of a page leads nowhere; foreign addresses are not asked."""
    if re.match(r"[a-z]+:", target):
        return False
    path, _, fragment = target.partition("#")
    file = ((ROOT / page).parent / path).resolve() if path else ROOT / page
    if not file.exists():
        return True
    is_page = file.suffix == ".md"
    return bool(fragment) and is_page and fragment not in anchors(str(file.relative_to(ROOT)))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    prose = re.sub(r"^```.*?^```", "", text(page), flags=re.MULTILINE | re.DOTALL)
    assert not [target for target in LINK.findall(prose) if broken(page, target)]
