"""Members that the model does not have are found wherever they stand, and no others."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.rules.explanation.strangers import STRANGERS_MAX, strangers
from moorage.shapes.ecs.service import CreateServiceRequest
from moorage.shapes.ecs.task_definition import RegisterTaskDefinitionRequest


@pytest.mark.parametrize(
    ("document", "paths"),
    [
        ({}, []),
        ({"family": "a", "containerDefinitions": [{"name": "a"}]}, []),
        ({"famly": "a"}, ["famly"]),
        ({"containerDefinitions": [{}, {"memry": 1}]}, ["containerDefinitions[1].memry"]),
        (
            {"containerDefinitions": [{"healthCheck": {"command": [], "comand": []}}]},
            ["containerDefinitions[0].healthCheck.comand"],
        ),
        ({"containerDefinitions": [{"dockerLabels": {"any": "thing"}}]}, []),
        ({"containerDefinitions": "text", "volumes": None}, []),
        ({"containerDefinitions": [7, None, {"x": 1}]}, ["containerDefinitions[2].x"]),
    ],
)
def test_what_the_model_does_not_have_is_named_by_its_path(document, paths):
    assert strangers(document, RegisterTaskDefinitionRequest) == paths


def test_only_so_many_are_named():
    document = {f"x{number}": 1 for number in range(STRANGERS_MAX + 10)}
    assert len(strangers(document, CreateServiceRequest)) == STRANGERS_MAX


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["containerDefinitions", "name", "portMappings", "family", "?"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_document_is_walked_and_nothing_but_its_members_is_named(document):
    text = msgspec.json.encode(document).decode()
    for path in strangers(document, RegisterTaskDefinitionRequest):
        assert f'"{path.rpartition(".")[2]}"' in text
