"""How services, deployments and hosts are explained on a terminal: all there is, safe to look at."""

import io

from rich.console import Console

from moorage.cli.explanation import show_deployment, show_host, show_service
from moorage.shapes.moorage.explanation import (
    ExplainDeploymentResponse,
    ExplainHostResponse,
    ExplainServiceResponse,
    HeldTask,
    HostResource,
    PlacementFilter,
    PlacementOutlook,
    Wait,
)
from moorage.shapes.moorage.host_state import Host
from moorage.shapes.moorage.post_mortem import Cause

EVIL = "\x1b]0;owned\x07"
OUTLOOK = PlacementOutlook(
    summary="None of 9 hosts can take another task.",
    filters=[
        PlacementFilter(
            name="memberOf attribute:rack in [a, b]", asked=9, refused=0, hosts=["[/h3]"]
        ),
        PlacementFilter(name="600 CPU units", asked=9, refused=9, hosts=["h1", "h2"]),
    ],
)


def printed(show, answer) -> str:
    out = io.StringIO()
    show(Console(file=out, width=120, highlight=False), answer)
    text = out.getvalue()
    assert "\x1b" not in text
    assert "\x07" not in text
    return text


def test_a_service_shows_waits_with_their_ends_filters_and_what_was_said():
    text = printed(
        show_service,
        ExplainServiceResponse(
            service_arn="arn:x" + EVIL,
            status="ACTIVE",
            headline="Service web waits." + EVIL,
            waits=[Wait(text="The back-off [bold]holds." + EVIL, until=1_800_000_000.0)],
            causes=[Cause(at=1_800_000_000.0, text="It said: hello" + EVIL), Cause(text="So.")],
            placement=OUTLOOK,
        ),
    )
    assert "- The back-off [bold]holds." in text
    assert "(until 2027-01-15 08:00:00)" in text
    assert "h1, h2 and 7 more" in text
    assert "memberOf attribute:rack in [a, b]" in text, "brackets are no markup"
    assert "[/h3]" in text
    assert "2027-01-15 08:00:00  It said: hello" in text
    assert text.index("Waits for") < text.index("Placement:") < text.index("It said")


def test_a_service_that_waits_for_nothing_says_no_more_than_that():
    text = printed(show_service, ExplainServiceResponse(headline="Nothing is missing.", waits=[]))
    assert "Waits for" not in text
    assert "Placement" not in text


def test_a_deployment_leads_on_to_the_task_that_failed():
    text = printed(
        show_deployment,
        ExplainDeploymentResponse(
            headline="Deployment failed.",
            service_deployment_arn="arn:y",
            status="ROLLBACK_SUCCESSFUL",
            rollout_state="FAILED",
            causes=[Cause(text="Task failed." + EVIL)],
            failed_tasks=["arn:aws:ecs:us-east-1:1:task/default/0123456789abcdef", "arn:b"],
        ),
    )
    assert "ROLLBACK_SUCCESSFUL, rollout FAILED" in text
    assert "moorage explain task 0123456789ab\n" in text


def test_a_host_shows_what_it_holds():
    text = printed(
        show_host,
        ExplainHostResponse(
            host=Host(status="ACTIVE", state="LOST", state_reason="It is silent." + EVIL),
            headline="Host h1 takes no new task.",
            resources=[HostResource(name="CPU", has=1024, promised=1000, left=24)],
            tasks=[
                HeldTask(
                    task_arn="arn:task/default/abc" + EVIL,
                    owner="web",
                    last_status="RUNNING",
                    desired_status="RUNNING",
                    cpu=1000,
                    memory=64,
                    ports=["80/tcp"],
                )
            ],
            reserved_ports=["22/tcp"],
            reasons=["It takes no task at all."],
        ),
    )
    assert "CPU        1024   1000       24" in text
    assert "80/tcp" in text
    assert "Ports that it keeps for itself: 22/tcp" in text
    assert "- It takes no task at all." in text
