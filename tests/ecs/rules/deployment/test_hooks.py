"""PAUSE hooks: what may be configured, and how they wait."""

import re

import pytest

from moorage.ecs.rules.deployment.hooks import (
    abandoned,
    answered,
    awaited,
    begun,
    expired,
    has_hook,
    refuse_hooks,
    timed_out,
)
from moorage.ground.instant import later, minutes
from moorage.ground.record import evolve
from moorage.shapes.ecs.deployment_configuration import (
    DeploymentLifecycleHook,
    DeploymentLifecycleHookTimeoutConfiguration,
)
from tests.ecs.rules.builders import NOW, a_configuration, a_deployment


def a_hook(*stages: str, minutes: int | None = None, action: str | None = None, **more):
    """A PAUSE hook at some stages; without a time where neither is given."""
    timeout = DeploymentLifecycleHookTimeoutConfiguration(timeout_in_minutes=minutes, action=action)
    return DeploymentLifecycleHook(
        **{
            "target_type": "PAUSE",
            "lifecycle_stages": list(stages),
            "timeout_configuration": timeout if minutes or action else None,
            **more,
        }
    )


def hooked(*hooks, **more):
    configuration = evolve(a_configuration(), lifecycle_hooks=list(hooks))
    return a_deployment(deployment_configuration=configuration, **more)


@pytest.mark.parametrize(
    ("hook", "code", "said"),
    [
        (a_hook("PRE_SCALE_UP"), None, ""),
        (a_hook("RECONCILE_SERVICE", "POST_SCALE_UP", minutes=20160, action="CONTINUE"), None, ""),
        (a_hook("PRE_SCALE_UP", target_type=None), "UnsupportedFeatureException", "AWS_LAMBDA"),
        (a_hook("PRE_SCALE_UP", target_type="URL"), "UnsupportedFeatureException", "URL"),
        (a_hook(), "InvalidParameterException", "lifecycleStages"),
        (a_hook("SCALE_UP"), "InvalidParameterException", "takes no hooks"),
        (a_hook("BAKE"), "InvalidParameterException", "Invalid lifecycle stage BAKE."),
        (a_hook("TEST_TRAFFIC_SHIFT"), "InvalidParameterException", "shifts no traffic"),
        (a_hook("POST_PRODUCTION_TRAFFIC_SHIFT"), "InvalidParameterException", "POST_SCALE_UP."),
        (a_hook("PRE_SCALE_UP", minutes=20161), "InvalidParameterException", "20160"),
        (a_hook("PRE_SCALE_UP", minutes=-1), "InvalidParameterException", "timeoutInMinutes"),
        (a_hook("PRE_SCALE_UP", action="STOP"), "InvalidParameterException", "STOP"),
        (a_hook("PRE_SCALE_UP", hook_target_arn="arn"), "InvalidParameterException", "hookTarget"),
        (a_hook("PRE_SCALE_UP", role_arn="arn"), "InvalidParameterException", "roleArn"),
        (a_hook("PRE_SCALE_UP", hook_details={"a": 1}), "InvalidParameterException", "hookDetails"),
    ],
)
def test_what_is_refused(hook, code, said):
    refusal = refuse_hooks([a_hook("POST_SCALE_UP"), hook])
    assert (refusal and refusal.code) == code
    assert refusal is None or said in refusal.message


def test_there_are_only_so_many():
    assert refuse_hooks([]) is None
    assert refuse_hooks([a_hook("PRE_SCALE_UP")] * 20) is None
    assert "at most 20" in refuse_hooks([a_hook("PRE_SCALE_UP")] * 21).message


def test_hooks_begin_at_their_stages_with_amazons_defaults():
    deployment = hooked(
        a_hook("PRE_SCALE_UP"),
        a_hook("PRE_SCALE_UP", "POST_SCALE_UP", minutes=5, action="CONTINUE"),
    )
    first, second = begun(deployment, "PRE_SCALE_UP", NOW)
    assert (first.expires_at, first.timeout_action) == (later(NOW, minutes(1440)), "ROLLBACK")
    assert (second.expires_at, second.timeout_action) == (later(NOW, minutes(5)), "CONTINUE")
    assert {first.status, second.status} == {"AWAITING_ACTION"}
    (third,) = begun(deployment, "POST_SCALE_UP", NOW)
    assert len({first.id, second.id, third.id}) == 3
    assert all(re.fullmatch(r"ecs-pause-[\w-]{43}", one.id) for one in (first, second, third))
    assert begun(deployment, "SCALE_UP", NOW) == ()
    assert begun(evolve(deployment, arn=deployment.arn + "x"), "PRE_SCALE_UP", NOW)[0] != first


def test_a_rollback_waits_at_none():
    deployment = hooked(a_hook("POST_SCALE_UP"), rollback_of="ecs-svc/2")
    assert begun(deployment, "POST_SCALE_UP", NOW) == ()
    assert not has_hook(deployment, "POST_SCALE_UP")
    assert has_hook(hooked(a_hook("POST_SCALE_UP")), "POST_SCALE_UP")
    assert not has_hook(hooked(a_hook("POST_SCALE_UP")), "PRE_SCALE_UP")


def test_what_waits_is_answered_or_runs_out_of_time():
    deployment = hooked(
        a_hook("PRE_SCALE_UP", minutes=9, action="ROLLBACK"),
        a_hook("PRE_SCALE_UP", minutes=5, action="CONTINUE"),
    )
    waiting = evolve(deployment, hooks=begun(deployment, "PRE_SCALE_UP", NOW))
    back, on = waiting.hooks
    assert awaited(waiting) == [on, back], "the one that ends first goes first"
    assert timed_out(waiting, later(NOW, minutes(4))) == waiting
    later_on = timed_out(waiting, later(NOW, minutes(5)))
    assert awaited(later_on) == [back]
    assert expired(later_on) is None, "that one was to continue"
    ended = timed_out(later_on, later(NOW, minutes(9)))
    assert [one.status for one in ended.hooks] == ["TIMED_OUT", "TIMED_OUT"]
    assert expired(ended).id == back.id
    done = answered(waiting, back.id, "SUCCEEDED")
    assert [one.status for one in done.hooks] == ["SUCCEEDED", "AWAITING_ACTION"]
    assert [one.status for one in abandoned(done).hooks] == ["SUCCEEDED", "FAILED"]
