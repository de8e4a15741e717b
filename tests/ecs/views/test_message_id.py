"""The ids of what hosts are sent come back as they were, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.views.message_id import KINDS, MessageId, read_message_id


@given(
    kind=st.sampled_from(KINDS),
    task=st.text("0123456789abcdef", max_size=32),
    sequence=st.integers(0, 10**18 - 1),
)
def test_an_id_comes_back_as_it_was(kind, task, sequence):
    identity = MessageId(kind=kind, task=task, sequence=sequence)
    assert read_message_id(str(identity)) == identity


@given(st.text())
def test_any_text_is_an_id_or_none(text):
    found = read_message_id(text)
    assert found is None or found.kind in KINDS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "run",
        "run.a",
        "run.a.b",
        "run.a.-1",
        "run.a.²",
        "go.a.1",
        "run.a.1.1",
        "run.a." + "1" * 19,
    ],
)
def test_what_is_none_of_ours(text):
    assert read_message_id(text) is None
