"""BatchCheckLayerAvailability."""

import pytest

from moorage.ground.instant import hours
from moorage.shapes.ecr import faults
from moorage.shapes.ecr.layer import Layer, LayerFailure
from tests.ecr.rig import OTHER, sha256


def test_says_which_layers_are_there(rig):
    rig.create()
    rig.push_blob(b"layer")
    unknown = sha256(b"unknown")
    answer = rig.call(
        "BatchCheckLayerAvailability",
        repository_name="team/app",
        layer_digests=[sha256(b"layer"), unknown, "junk"],
    )
    assert answer.layers == [
        Layer(
            layer_digest=sha256(b"layer"), layer_availability="AVAILABLE", layer_size=len(b"layer")
        ),
        Layer(layer_digest=unknown, layer_availability="UNAVAILABLE"),
    ]
    (failure,) = answer.failures
    assert isinstance(failure, LayerFailure)
    assert (failure.layer_digest, failure.failure_code) == ("junk", "InvalidLayerDigest")


def test_what_was_said_to_be_there_stays_for_the_push(rig):
    rig.create()
    rig.push_blob(b"layer")
    rig.clock.advance(hours(23))
    rig.call(
        "BatchCheckLayerAvailability",
        repository_name="team/app",
        layer_digests=[sha256(b"layer")],
    )
    rig.sweep(hours(23), hours(0), expiry=hours(24))
    assert rig.exchange("GET", f"/v2/team/app/blobs/{sha256(b'layer')}").status == 200


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"repository_name": "no/such"}, faults.RepositoryNotFoundException),
        ({"registry_id": OTHER}, faults.RepositoryNotFoundException),
        ({"layer_digests": []}, faults.InvalidParameterException),
        ({"layer_digests": None}, faults.InvalidParameterException),
        ({"layer_digests": ["x"] * 101}, faults.InvalidParameterException),
    ],
)
def test_refuses(rig, members, fault):
    rig.create()
    sound = {"repository_name": "team/app", "layer_digests": [sha256(b"")]}
    with pytest.raises(fault):
        rig.call("BatchCheckLayerAvailability", **{**sound, **members})
