"""SubmitPostMortem and ExplainTask: told by the task's own host, kept, bounded, explained."""

import msgspec
import pytest

from moorage.ecs.controllers import post_mortems as controller
from moorage.ecs.store import post_mortems, service_events, tasks
from moorage.gateway.compose import own_api
from moorage.ground.fault import Fault
from moorage.ground.instant import hours, minutes, seconds
from moorage.iam.authorize import authorize
from moorage.kernel.perform import check, perform
from moorage.wire import json11
from tests.builders import a_definition, a_host, a_service, a_task, root

OWN = own_api()
LINES = [{"stream": "stderr", "text": "no such database", "at": 1.5}]


def own(house, action, by=None, **members):
    """Call one of our own operations as the gateway does."""
    operation = OWN.operations[action]
    request = json11.decode(msgspec.json.encode(members), operation.request)
    check(OWN, request)
    run = house.write if operation.writes else house.read
    answer = run(lambda call: perform(call, operation, request, authorize), principal=by or root())
    return msgspec.json.decode(msgspec.json.encode(answer))


def refused(house, code, action, by=None, **members):
    with pytest.raises(Fault) as caught:
        own(house, action, by, **members)
    assert caught.value.code == code, caught.value
    return caught.value.message


def told(container="web", **members):
    return {"name": container, "exitCode": 3, "restarts": 0, "healings": 0, **members}


def submit(house, key, task, *containers, **members):
    given = {"ended": True, "at": 100.0, "containers": list(containers), **members}
    return own(house, "SubmitPostMortem", key, cluster="default", task=task, **given)


def report(house, key, task, status, **container):
    web = {"containerName": "web", "status": status, **container}
    house.ask(
        "SubmitTaskStateChange",
        by=key,
        cluster="default",
        task=task,
        status=status,
        containers=[web],
    )


def explained(house, task, **members):
    return own(house, "ExplainTask", task=task, **members)


def sentences(house, task):
    return [cause["text"] for cause in explained(house, task)["causes"]]


def kept(house, arn):
    return house.read(lambda call: post_mortems.of(call.tx, tasks.get(call.tx, arn)))


def test_a_host_tells_of_its_own_tasks_only(house):
    key, other = a_host(house), a_host(house, "other")
    task = a_task(house)["taskArn"]
    owner = {key.instance: key, other.instance: other}
    instance = house.read(lambda call: tasks.get(call.tx, task)).instance
    stranger = next(one for arn, one in owner.items() if arn != instance)
    for code, by in (("AccessDeniedException", stranger), ("AccessDeniedException", root())):
        refused(house, code, "SubmitPostMortem", by, cluster="default", task=task)
    refused(
        house,
        "InvalidParameterException",
        "SubmitPostMortem",
        key,
        cluster="default",
        task="f" * 32,
    )
    refused(house, "ValidationException", "SubmitPostMortem", key, cluster="default")
    submit(house, owner[instance], task, told(lines=LINES))
    assert kept(house, task).containers[0].lines[0].text == "no such database"


def test_told_again_it_is_the_same_and_a_late_word_of_healing_changes_no_end(house):
    key = a_host(house)
    task = a_task(house)["taskArn"]
    for _ in range(2):
        submit(house, key, task, told(lines=LINES))
    before = kept(house, task)
    submit(house, key, task, told(healings=1), ended=False)
    assert kept(house, task) == before
    count = house.read(lambda call: post_mortems.count(call.tx, before.holder))
    assert count == 1


def test_what_is_too_long_is_cut_and_strange_containers_are_left_out(house):
    key = a_host(house)
    task = a_task(house)["taskArn"]
    lines = [{"stream": "x", "text": str(n) * 5000} for n in range(210)]
    submit(house, key, task, told(lines=lines, reason="r" * 5000), told("stranger"))
    (container,) = kept(house, task).containers
    assert len(container.lines) == 200
    assert container.lines_left_out
    assert {(line.stream, len(line.text), line.cut) for line in container.lines} == {
        ("stdout", 4096, True)
    }
    assert len(container.reason) == 1024


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ({"healings": 1, "lastExitCode": 3}, "again once while"),
        ({"healings": 4, "lastExitCode": 3}, "again 4 times while"),
    ],
)
def test_a_healing_is_said_to_the_service_once(house, codes, said):
    key = a_host(house)
    service = a_service(house)
    house.settle()
    (task,) = house.ask("ListTasks", serviceName="web")["taskArns"]
    for _ in range(3):
        submit(house, key, task, told(**codes), ended=False)
    found = house.read(lambda call: service_events.newest(call.tx, service["serviceArn"]))
    messages = [one.message for one in found if said in one.message]
    assert len(messages) == 1
    assert "ended with exit code 3" in messages[0]
    again = said.removesuffix(" while")
    assert any(f"started container web {again}" in one for one in sentences(house, task))


def test_a_crash_is_explained_with_its_last_lines(house):
    key = a_host(house)
    a_service(house)
    house.settle()
    (task,) = house.ask("ListTasks", serviceName="web")["taskArns"]
    report(house, key, task, "RUNNING")
    house.pass_time(seconds(60))
    report(house, key, task, "STOPPED", exitCode=137)
    submit(
        house,
        key,
        task,
        told(
            exitCode=137, signal=9, outOfMemory=True, startedAt=10.0, finishedAt=14.0, lines=LINES
        ),
    )
    house.settle()
    answer = explained(house, task.rpartition("/")[2][:6])
    assert answer["taskArn"] == task
    assert (answer["lastStatus"], answer["service"], answer["host"]) == ("STOPPED", "web", "host-1")
    assert answer["container"] == "web"
    assert answer["containers"][0]["lines"] == LINES
    text = " ".join(cause["text"] for cause in answer["causes"])
    assert "Nobody asked for it to stop" in text
    assert "Container web (essential) was ended by signal 9 (SIGKILL) after 4.0 s." in text
    assert "more memory than it may have" in text
    assert "The scheduler started task" in text
    assert [one["at"] for one in answer["causes"] if "at" in one] == sorted(
        one["at"] for one in answer["causes"] if "at" in one
    )


def test_a_task_that_was_forgotten_is_explained_from_its_post_mortem(house):
    key = a_host(house)
    a_service(house)
    house.settle()
    (task,) = house.ask("ListTasks", serviceName="web")["taskArns"]
    report(house, key, task, "RUNNING")
    report(house, key, task, "STOPPED", exitCode=3)
    submit(house, key, task, told(lines=LINES))
    house.pass_time(hours(30))
    assert house.read(lambda call: tasks.get(call.tx, task)) is None
    identity = task.rpartition("/")[2]
    for name in (task, identity, identity[:8]):
        answer = explained(house, name)
        assert answer["forgotten"] is True
        assert answer["containers"][0]["lines"] == LINES
        assert "forgotten" in answer["causes"][-1]["text"]


def test_a_task_that_nobody_knows_is_said_to_be_unknown_or_forgotten(house):
    a_host(house)
    sentence = refused(house, "InvalidParameterException", "ExplainTask", task="f" * 32)
    assert "24 hours" in sentence
    assert "168 hours" in sentence
    refused(house, "ValidationException", "ExplainTask")
    refused(house, "ClusterNotFoundException", "ExplainTask", task="f", cluster="nowhere")
    refused(
        house,
        "InvalidParameterException",
        "ExplainTask",
        task=f"arn:aws:ecs:us-east-1:444455556666:task/default/{'a' * 32}",
    )


def test_an_ambiguous_beginning_is_not_guessed(house):
    a_host(house)
    definition = a_definition(house)
    ids = [a_task(house, taskDefinition=definition)["taskArn"][-32:] for _ in range(12)]
    firsts = [one[:1] for one in ids]
    twice = next((one for one in firsts if firsts.count(one) > 1), None)
    if twice is None:  # twelve different digits: then each of them is enough
        assert explained(house, firsts[0])["taskArn"].endswith(ids[0])
        return
    assert "More than one" in refused(house, "InvalidParameterException", "ExplainTask", task=twice)
    assert explained(house, ids[3])["taskArn"].endswith(ids[3])


def put_many(house, service, count):
    """Post-mortems of tasks that are long gone, a minute apart."""
    template = house.read(lambda call: tasks.live_of_services(call.tx, [service])[0])
    for number in range(count):
        arn = f"{template.arn[:-8]}{number:08x}"
        house.write(
            lambda call, arn=arn: post_mortems.put(
                call.tx,
                post_mortems.PostMortem(
                    holder=service,
                    task=arn,
                    account=template.account,
                    region=template.region,
                    cluster_arn=template.cluster_arn,
                    instance=template.instance,
                    received_at=call.now,
                    ended=True,
                ),
            )
        )
        house.clock.advance(minutes(1))


def left(house, holder):
    return house.read(lambda call: post_mortems.count(call.tx, holder))


def test_they_are_kept_for_seven_days_and_ten_of_a_service_for_good(house):
    a_host(house)
    service = a_service(house)["serviceArn"]
    house.settle()
    put_many(house, service, 30)
    house.settle()
    assert left(house, service) == 30
    house.pass_time(hours(24 * 7) - minutes(15.5))
    assert left(house, service) == 15
    house.pass_time(hours(24))
    assert left(house, service) == 10
    house.pass_time(hours(24 * 30))
    assert left(house, service) == 10
    house.ask("DeleteService", service="web", force=True)
    house.pass_time(hours(72))
    assert left(house, service) == 0


def test_of_one_service_no_more_than_so_many_are_kept(house):
    a_host(house)
    service = a_service(house)["serviceArn"]
    house.settle()
    put_many(house, service, controller.OF_HOLDER_MAX + 7)
    house.settle()
    assert left(house, service) == controller.OF_HOLDER_MAX
    assert house.read(lambda call: post_mortems.every(call.tx)) == [service]
