"""A refusal becomes the fault that it names."""

import pytest

from moorage.ecs.rules.refusal import Refusal, invalid, unsupported
from moorage.ecs.views.refusal import heed
from moorage.ground.fault import Fault


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (Refusal(message="no"), "ClientException"),
        (invalid("no"), "InvalidParameterException"),
        (unsupported("no"), "UnsupportedFeatureException"),
    ],
)
def test_each_code_has_its_fault(refusal, code):
    with pytest.raises(Fault, match="no") as caught:
        heed(refusal)
    assert caught.value.code == code


def test_none_is_no_refusal():
    assert heed(None) is None
