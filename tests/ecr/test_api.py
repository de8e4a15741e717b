"""The table of ECR."""

import pytest

from moorage.ecr.api import ECR, TABLES
from moorage.ground.fault import AccessDenied, UnknownOperation, Unsupported
from moorage.iam.authorize import authorize
from moorage.kernel.perform import perform
from tests.ecr.rig import OTHER


def test_every_operation_of_the_model_is_built_or_named():
    assert len(ECR.operations) + len(ECR.absent) == 62


def test_what_is_not_built_is_refused_by_name():
    with pytest.raises(Unsupported, match="StartImageScan"):
        ECR.find("StartImageScan")
    with pytest.raises(UnknownOperation):
        ECR.find("MakeCoffee")


def test_tables_have_names_of_their_own():
    assert len({table.name for table in TABLES}) == len(TABLES)


@pytest.mark.parametrize("name", sorted(set(ECR.operations) - {"GetAuthorizationToken"}))
def test_a_host_asks_for_a_token_and_nothing_else(rig, name):
    operation = rig.operation(name)
    members = {
        "repository_name": "team/app",
        "resource_arn": f"arn:aws:ecr:us-east-1:{OTHER}:repository/team/app",
        "image_manifest": "{}",
        "image_tag_mutability": "MUTABLE",
    }
    with pytest.raises(AccessDenied):
        rig.work(lambda call: _authorized(call, operation, members), kind="host", operation=name)


def _authorized(call, operation, members):
    fields = operation.request.__struct_fields__
    given = {key: value for key, value in members.items() if key in fields}
    from_call = operation.request(**given)
    return perform(call, operation, from_call, authorize)
