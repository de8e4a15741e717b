"""GetTaskProtection and UpdateTaskProtection."""

import pytest

from moorage.ecs.store import timeline
from moorage.ground.instant import epoch, minutes, seconds
from tests.builders import OTHER, REGION, a_host, a_service, a_task, root

FOREIGN = f"arn:aws:ecs:{REGION}:{OTHER}:task/default/{'a' * 32}"
UNKNOWN = "b" * 32


def of_service(house, name="web"):
    return house.ask("ListTasks", serviceName=name)["taskArns"]


def protect(house, tasks, enabled=True, **members):
    return house.ask(
        "UpdateTaskProtection",
        cluster="default",
        tasks=tasks,
        protectionEnabled=enabled,
        **members,
    )


def test_tasks_of_services_are_protected_for_a_while(house):
    a_host(house)
    a_service(house, count=2)
    house.settle()
    first, second = of_service(house)
    now = house.clock.now()
    answer = protect(house, [first.rpartition("/")[2]])
    assert answer == {
        "protectedTasks": [
            {
                "taskArn": first,
                "protectionEnabled": True,
                "expirationDate": epoch(now + minutes(120)),
            }
        ],
        "failures": [],
    }
    house.clock.advance(minutes(1))
    (again,) = protect(house, [first], expiresInMinutes=5)["protectedTasks"]
    assert again["expirationDate"] == epoch(now + minutes(6)), "each call sets the time anew"
    shown = house.ask("GetTaskProtection", cluster="default", tasks=[first, second, first])
    assert shown == {
        "protectedTasks": [again, {"taskArn": second, "protectionEnabled": False}],
        "failures": [],
    }
    house.clock.advance(minutes(5))
    (over,) = house.ask("GetTaskProtection", cluster="default", tasks=[first])["protectedTasks"]
    assert over == {"taskArn": first, "protectionEnabled": False}
    protect(house, [first])
    (ended,) = protect(house, [first], enabled=False)["protectedTasks"]
    assert ended == {"taskArn": first, "protectionEnabled": False}


def test_what_cannot_be_protected_stands_among_the_failures(house):
    a_host(house)
    a_service(house)
    alone = a_task(house)["taskArn"]
    house.settle()
    (mine,) = of_service(house)
    answer = protect(house, [UNKNOWN, alone, f"other/{UNKNOWN}", mine])
    assert [one["taskArn"] for one in answer["protectedTasks"]] == [mine]
    arn = f"arn:aws:ecs:{REGION}:111122223333:task"
    assert [(one["arn"], one["reason"]) for one in answer["failures"]] == [
        (f"{arn}/default/{UNKNOWN}", "MISSING"),
        (alone, "TASK_NOT_VALID"),
        (f"{arn}/other/{UNKNOWN}", "MISSING"),
    ]
    assert answer["failures"][1]["detail"]
    seen = house.ask("GetTaskProtection", cluster="default", tasks=[alone])
    assert [one["reason"] for one in seen["failures"]] == ["TASK_NOT_VALID"]
    house.ask("StopTask", task=mine)
    stopped = protect(house, [mine])
    assert stopped["protectedTasks"] == []
    assert [one["reason"] for one in stopped["failures"]] == ["TASK_NOT_VALID"]


@pytest.mark.parametrize(
    ("action", "members", "code"),
    [
        ("UpdateTaskProtection", {"tasks": []}, "InvalidParameterException"),
        ("UpdateTaskProtection", {"tasks": ["a"] * 11}, "InvalidParameterException"),
        ("UpdateTaskProtection", {"protectionEnabled": None}, "InvalidParameterException"),
        ("UpdateTaskProtection", {"expiresInMinutes": 0}, "InvalidParameterException"),
        ("UpdateTaskProtection", {"expiresInMinutes": 2881}, "InvalidParameterException"),
        ("UpdateTaskProtection", {"cluster": None}, "InvalidParameterException"),
        ("UpdateTaskProtection", {"cluster": "nowhere"}, "ClusterNotFoundException"),
        ("UpdateTaskProtection", {"tasks": [FOREIGN]}, "InvalidParameterException"),
        ("GetTaskProtection", {"tasks": ["a"] * 101}, "InvalidParameterException"),
        ("GetTaskProtection", {"tasks": None}, "InvalidParameterException"),
        ("GetTaskProtection", {"cluster": "nowhere"}, "ClusterNotFoundException"),
        ("GetTaskProtection", {"cluster": None}, "InvalidParameterException"),
    ],
)
def test_what_is_no_request_is_refused(house, action, members, code):
    given = {"cluster": "default", "tasks": [UNKNOWN]}
    if action == "UpdateTaskProtection":
        given["protectionEnabled"] = True
    house.refused(action, code, **{**given, **members})


def test_nobody_sees_the_tasks_of_another_account(house):
    a_host(house)
    a_service(house)
    house.settle()
    (mine,) = of_service(house)
    house.refused(
        "GetTaskProtection",
        "InvalidParameterException",
        by=root(OTHER),
        cluster="default",
        tasks=[mine],
    )


def test_the_end_of_protection_wakes_the_service(house):
    a_host(house)
    a_service(house, count=2)
    house.settle()
    protect(house, of_service(house), expiresInMinutes=10)
    house.settle()
    house.ask("UpdateService", service="web", desiredCount=1)
    house.settle()
    assert len(of_service(house)) == 2
    (service,) = house.ask("DescribeServices", services=["web"])["services"]
    assert "protected from scale-in" in service["events"][0]["message"]
    house.pass_time(minutes(10) + seconds(1))
    assert len(of_service(house)) == 1


def test_ended_by_hand_the_scale_in_goes_on_at_once(house):
    a_host(house)
    a_service(house, count=2)
    house.settle()
    tasks = of_service(house)
    protect(house, tasks)
    house.ask("UpdateService", service="web", desiredCount=0)
    house.settle()
    assert of_service(house) == tasks
    protect(house, tasks, enabled=False)
    house.settle()
    assert of_service(house) == []


def test_the_timeline_tells_when_protection_begins_and_is_ended(house):
    a_host(house)
    a_service(house)
    house.settle()
    (task,) = of_service(house)
    protect(house, [task], expiresInMinutes=5)
    protect(house, [task], expiresInMinutes=9)
    protect(house, [task], enabled=False)
    kinds = told(house)
    assert kinds.count("task-protected") == 1, "a longer time is no news"
    assert kinds.count("task-unprotected") == 1
    protect(house, [task], enabled=False)
    assert told(house) == kinds


def told(house):
    arn = house.ask("DescribeClusters", clusters=["default"])["clusters"][0]["clusterArn"]
    found = house.read(lambda call: timeline.page(call.tx, {"cluster": arn}, None, 100))
    return [one.kind for one in found]
