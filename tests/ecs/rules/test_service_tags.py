"""Tags of services: what they ask for, and which of them mean nothing."""

import pytest

from moorage.ecs.rules.service_tags import Wishes, wishes
from moorage.shapes.ecs.tag import Tag


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ([], Wishes()),
        ([("team", "web"), ("moorage:unheard-of", "x")], Wishes()),
        ([("moorage:on-host-loss", "replace")], Wishes(on_host_loss="replace")),
        ([("moorage:on-host-loss", "WAIT ")], Wishes(on_host_loss="wait")),
        ([("moorage:fence", "true")], Wishes(fence=True)),
        ([("moorage:fence", "false"), ("moorage:heal", "off")], Wishes()),
        (
            [("moorage:on-host-loss", "now")],
            Wishes(ignored=("moorage:on-host-loss=now (allowed: replace, wait)",)),
        ),
        (
            [("moorage:fence", "yes"), ("moorage:heal", "no")],
            Wishes(
                ignored=(
                    "moorage:fence=yes (allowed: true, false)",
                    "moorage:heal=no (allowed: on, off)",
                )
            ),
        ),
        ([("moorage:fence", None)], Wishes(ignored=("moorage:fence= (allowed: true, false)",))),
    ],
)
def test_what_tags_ask_for(tags, expected):
    assert wishes(Tag(key=key, value=value) for key, value in tags) == expected
