"""The tables of the house: complete, and each entry what the gateway expects."""

from moorage.ecs import api
from moorage.shapes.ecs.operations import OPERATIONS


def test_every_operation_of_the_model_is_built_or_named_as_absent():
    assert len(OPERATIONS) == 88
    assert set(api.ECS.operations) | api.ECS.absent == set(OPERATIONS)
    assert len(api.ECS.operations) == 53


def test_names_are_given_once():
    names = [controller.name for controller in api.CONTROLLERS]
    assert len(set(names)) == len(names)
    tables = [table.name for table in api.TABLES]
    assert len(set(tables)) == len(tables)


def test_what_only_reads_says_so():
    reading = {name for name, one in api.ECS.operations.items() if not one.writes}
    assert reading == {
        name
        for name in api.ECS.operations
        if name.startswith(("Describe", "Get", "List")) or name == "DiscoverPollEndpoint"
    }


def test_hosts_may_do_what_agents_do_and_no_more():
    open_to_hosts = {name for name, one in api.ECS.operations.items() if "host" in one.callers}
    assert open_to_hosts == {
        "DiscoverPollEndpoint",
        "ListTagsForResource",
        "RegisterContainerInstance",
        "SubmitContainerStateChange",
        "SubmitTaskStateChange",
        "UpdateContainerInstancesState",
    }
    assert all(api.ECS.operations[name].resource for name in open_to_hosts)
