"""One line an event, and each event shown once however often it is asked for."""

from moorage.cli.timeline import line, unseen
from moorage.shapes.moorage.timeline import TimelineEvent

EVENT = TimelineEvent(
    at=1_800_000_000.0,
    kind="task-stopped",
    text="It ended.\x1b[2J",
    cause="StopTask by arn:x",
    service="web",
    host="h1",
    task="0123456789abcdef",
    position="5",
)


def test_a_line_says_when_what_of_what_why_and_by_whom():
    text = line(EVENT).plain
    assert text == (
        "2027-01-15 08:00:00  task-stopped       web task 01234567 on h1  It ended."
        "\N{REPLACEMENT CHARACTER}[2J  [StopTask by arn:x]"
    )


def test_what_is_of_no_task_is_as_short_as_it_can_be():
    host = TimelineEvent(at=0.0, kind="host-lost", text="Silence.", host="h1")
    assert line(host).plain == "1970-01-01 00:00:00  host-lost          h1  Silence."


def test_only_what_was_not_shown_yet_is_shown_the_oldest_first():
    seen = {"2"}
    found = [TimelineEvent(position=position) for position in ("4", "3", "2", "1")]
    assert [one.position for one in unseen(found, seen)] == ["1", "3", "4"]
    assert not list(unseen(found, seen))
    assert not list(unseen([TimelineEvent()], seen))
