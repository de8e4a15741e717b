"""How an explanation is printed: the chain with its times, then the last lines, safe to look at."""

import io

from rich.console import Console

from moorage.cli.explain import show, show_output
from moorage.shapes.moorage.post_mortem import (
    Cause,
    ContainerPostMortem,
    ExplainTaskResponse,
    OutputLine,
)

WEB = ContainerPostMortem(
    name="web",
    lines=[
        OutputLine(stream="stdout", at=1.0, text="[bold]listening[/bold]"),
        OutputLine(stream="stderr", at=2.0, text="no \x1b[31msuch database", cut=True),
    ],
)
ANSWER = ExplainTaskResponse(
    task_arn="arn:aws:ecs:us-east-1:000000000001:task/default/abc",
    last_status="STOPPED",
    headline="Task abc of service web is STOPPED.",
    causes=[
        Cause(at=1_800_000_000.0, text="It was made by deployment ecs-svc/1."),
        Cause(text="The scheduler has not started another one yet; it looks again soon."),
    ],
    container="web",
    containers=[WEB, ContainerPostMortem(name="log", lines=[OutputLine(text="fine")])],
)


def printed(work) -> str:
    out = io.StringIO()
    work(Console(file=out, width=100, highlight=False))
    return out.getvalue()


def test_the_chain_is_shown_with_its_times():
    text = printed(lambda console: show(console, ANSWER))
    assert "Task abc of service web is STOPPED." in text
    assert ANSWER.task_arn in text
    assert "2027-01-15 08:00:00  It was made by deployment ecs-svc/1." in text
    assert "now                  The scheduler has not started" in text


def test_the_last_lines_are_shown_as_they_are_and_can_do_nothing():
    text = printed(lambda console: show_output(console, ANSWER, "web", 20))
    assert "last 2 lines of web" in text
    assert "[bold]listening[/bold]" in text
    assert "\x1b" not in text
    assert "no \N{REPLACEMENT CHARACTER}[31msuch database ... (cut)" in text
    assert "--container log" in text


def test_what_a_host_says_can_do_nothing():
    evil = "gone \x1b]0;owned\x07"
    container = ContainerPostMortem(name="web", unreadable=evil)
    cause = Cause(text=evil)
    answer = ExplainTaskResponse(headline=evil, causes=[cause], containers=[container])
    text = printed(lambda console: show(console, answer))
    text += printed(lambda console: show_output(console, answer, "web", 20))
    assert text.count("gone") == 3
    assert "\x1b" not in text
    assert "\x07" not in text


def test_as_many_lines_as_are_wanted_and_none_where_none_are():
    assert "listening" not in printed(lambda console: show_output(console, ANSWER, "web", 1))
    assert printed(lambda console: show_output(console, ANSWER, "web", 0)) == ""
    assert printed(lambda console: show_output(console, ANSWER, "other", 20)) == ""


def test_what_there_is_nothing_of_says_why():
    for container, words in (
        (ContainerPostMortem(name="web", unreadable="the driver cannot"), "the driver cannot"),
        (ContainerPostMortem(name="web", lines_left_out=True), "too long to be kept"),
        (ContainerPostMortem(name="web"), "It printed nothing."),
    ):
        answer = ExplainTaskResponse(containers=[container])
        text = printed(lambda console, answer=answer: show_output(console, answer, "web", 20))
        assert words in text
