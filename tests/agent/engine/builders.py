"""One readable builder a thing; every member has a sensible value."""

from moorage.acs.task_messages import Container, Task
from moorage.agent.engine import instructions as i
from tests.agent.engine.world import arn

DIGEST = "r/x@sha256:" + "d" * 64


def a_container(name: str = "web", **members) -> Container:
    return Container(**{"name": name, "image": DIGEST, "essential": True, **members})


def a_task(*containers: Container, number: int = 1, **members) -> Task:
    return Task(
        **{
            "arn": arn(number),
            "desired_status": "RUNNING",
            "family": "fam",
            "version": "1",
            "containers": containers or (a_container(),),
            **members,
        }
    )


def doings(answer: list[i.Instruction]) -> list[i.Instruction]:
    """The answer without the keeping of records, the setting of timers and post-mortems."""
    beside = i.SaveCheckpoint | i.SetTimer | i.GatherPostMortem
    return [one for one in answer if not isinstance(one, beside)]


def kinds(answer: list[i.Instruction]) -> list[str]:
    """The names of what is to be done."""
    return [type(one).__name__ for one in doings(answer)]
