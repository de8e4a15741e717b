"""Names of groups, defaults and updates of providers; their refusals are tested by operation."""

import pytest

from moorage.ecs.rules.capacity.provider import Group, completed, group_named, updated
from moorage.shapes.ecs.capacity_provider import (
    AutoScalingGroupProvider,
    AutoScalingGroupProviderUpdate,
    ManagedScaling,
)

ARN = "arn:aws:autoscaling:eu-west-1:111122223333:autoScalingGroup:a-b:autoScalingGroupName/pool-1"


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("pool-1", Group(pool="pool-1")),
        (ARN, Group(pool="pool-1", region="eu-west-1", account="111122223333")),
        ("", None),
        ("no spaces", None),
        ("arn:aws:ecs:eu-west-1:111122223333:cluster/pool-1", None),
        (f"{ARN}/more", None),
    ],
)
def test_a_group_is_named_by_its_name_or_its_arn(text, group):
    assert group_named(text) == group


def test_what_is_complete_stays_as_it_is():
    group = completed(AutoScalingGroupProvider(auto_scaling_group_arn="p"))
    assert completed(group) == group
    assert group.managed_scaling == ManagedScaling(
        status="DISABLED",
        target_capacity=100,
        minimum_scaling_step_size=1,
        maximum_scaling_step_size=10000,
        instance_warmup_period=300,
    )


def test_an_empty_update_changes_nothing_and_a_full_one_all_but_the_pool():
    group = completed(AutoScalingGroupProvider(auto_scaling_group_arn="p"))
    assert updated(group, AutoScalingGroupProviderUpdate()) == group
    scaling = ManagedScaling(
        status="ENABLED",
        target_capacity=1,
        minimum_scaling_step_size=2,
        maximum_scaling_step_size=3,
        instance_warmup_period=0,
    )
    after = updated(
        group,
        AutoScalingGroupProviderUpdate(
            managed_scaling=scaling,
            managed_termination_protection="ENABLED",
            managed_draining="DISABLED",
        ),
    )
    assert after == AutoScalingGroupProvider(
        auto_scaling_group_arn="p",
        managed_scaling=scaling,
        managed_termination_protection="ENABLED",
        managed_draining="DISABLED",
    )
