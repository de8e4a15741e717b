"""What CreateService, UpdateService, RunTask and StartTask refuse; the rest stands in `refusals.py`."""

from typing import Any

from tests.clients.desk import VPC
from tests.clients.refusals import CLIENT, CP, ENUM, INVALID, MANY_TAGS, NULL, UNSUPPORTED, Row

WEB = {"taskDefinition": "web"}
NEW = {"serviceName": "new", "desiredCount": 1, **WEB}
DAEMON = {"serviceName": "new", "schedulingStrategy": "DAEMON", **WEB}
DISTINCT = {"type": "distinctInstance"}
ZONE = {"type": "spread", "field": "attribute:ecs.availability-zone"}
BINPACK = {"type": "binpack", "field": "memory"}


def _configured(**members: Any) -> dict[str, Any]:
    return {**NEW, "deploymentConfiguration": members}


def _hooked(**hook: Any) -> dict[str, Any]:
    return _configured(lifecycleHooks=[{"targetType": "PAUSE", **hook}])


# What CreateService and UpdateService refuse alike; members of the first.
SERVICES: list[Row] = [
    ("create_service", {**NEW, "desiredCount": -1}, INVALID, "between 0 and 5000"),
    ("create_service", {**NEW, "desiredCount": 5001}, INVALID, "between 0 and 5000"),
    ("create_service", {**NEW, "placementStrategy": [ZONE] * 6}, INVALID, "is 5"),
    ("create_service", {**NEW, "placementStrategy": [{"type": "best"}]}, INVALID, ENUM),
    ("create_service", {**NEW, "placementStrategy": [{"type": "binpack", "field": "disk"}]},
     INVALID, "cpu or memory"),
    ("create_service", {**NEW, "placementStrategy": [{"type": "random", "field": "cpu"}]}, INVALID,
     "no field"),
    ("create_service", {**NEW, "placementStrategy": [{"type": "spread", "field": "rack"}]},
     INVALID, "attribute:NAME"),
    ("create_service", {**NEW, "placementConstraints": [DISTINCT] * 11}, INVALID, "is 10"),
    ("create_service", {**NEW, "placementConstraints": [{"type": "memberOf"}]}, INVALID,
     "needs an expression"),
    ("create_service",
     {**NEW, "placementConstraints": [{"type": "memberOf", "expression": "attribute:a =="}]},
     INVALID, "Invalid expression at character"),
    ("create_service", {**NEW, "placementConstraints": [{**DISTINCT, "expression": "x"}]}, INVALID,
     "takes no expression"),
    ("create_service", _configured(minimumHealthyPercent=101), INVALID, "between 0 and 100"),
    ("create_service", _configured(maximumPercent=99), INVALID, "between 100"),
    ("create_service", _configured(strategy="BLUE_GREEN"), UNSUPPORTED, "BLUE_GREEN"),
    ("create_service", _configured(alarms={"alarmNames": ["a"], "enable": True, "rollback": True}),
     UNSUPPORTED, "alarms"),
    ("create_service", _configured(bakeTimeInMinutes=5), UNSUPPORTED, "bakeTimeInMinutes"),
    ("create_service",
     _configured(deploymentCircuitBreaker={
         "enable": True, "rollback": True,
         "thresholdConfiguration": {"type": "COUNT", "value": 0}}),
     INVALID, "at least 1"),
    ("create_service", _hooked(lifecycleStages=["TEST_TRAFFIC_SHIFT"]), INVALID, "no traffic"),
    ("create_service", _hooked(lifecycleStages=["LATER"]), INVALID, ENUM),
    ("create_service", _hooked(), INVALID, "lifecycleStages"),
    ("create_service",
     _hooked(lifecycleStages=["PRE_SCALE_UP"], timeoutConfiguration={"timeoutInMinutes": 0}),
     INVALID, "1"),
    ("create_service", {**NEW, "capacityProviderStrategy": [{"capacityProvider": "no"}]}, INVALID,
     "not associated"),
    ("create_service", {**NEW, "availabilityZoneRebalancing": "ON"}, INVALID, ENUM),
    ("create_service",
     {**NEW, "availabilityZoneRebalancing": "ENABLED", "placementStrategy": [BINPACK]}, INVALID,
     "first placement strategy"),
    ("create_service",
     {**NEW, "availabilityZoneRebalancing": "ENABLED",
      "deploymentConfiguration": {"maximumPercent": 100}}, INVALID, "maximumPercent of 100"),
    ("create_service", {**NEW, "taskDefinition": "none"}, CLIENT, "TaskDefinition not found"),
    ("create_service", {**NEW, "taskDefinition": "old:1"}, CLIENT, "inactive"),
    ("create_service", {**NEW, "taskDefinition": "vpc"}, INVALID, "Network Configuration must be"),
    ("create_service", {**NEW, "healthCheckGracePeriodSeconds": -1}, INVALID, "negative"),
    ("create_service", {**NEW, "deploymentController": {"type": "CODE_DEPLOY"}}, UNSUPPORTED,
     "CODE_DEPLOY"),
    ("create_service", {**NEW, "deploymentController": {"type": "OTHER"}}, INVALID, ENUM),
    ("create_service", {**NEW, "propagateTags": "ALL"}, INVALID, ENUM),
]  # fmt: skip

# What only CreateService can be asked.
NEW_SERVICES: list[Row] = [
    ("create_service", {**NEW, "serviceName": "a b"}, INVALID, "255"),
    ("create_service", {"serviceName": "new", **WEB}, INVALID, "desiredCount"),
    ("create_service", {"serviceName": "new", "desiredCount": 1}, INVALID, "can not be blank"),
    ("create_service", {**NEW, "schedulingStrategy": "CRON"}, INVALID, ENUM),
    ("create_service", {**NEW, "launchType": "FARGATE"}, UNSUPPORTED, "FARGATE"),
    ("create_service",
     {**NEW, "launchType": "EXTERNAL", "availabilityZoneRebalancing": "ENABLED"}, INVALID,
     "EXTERNAL launch type"),
    ("create_service", {**NEW, "launchType": "EC2", "capacityProviderStrategy": [CP]}, INVALID,
     "both a launch type and capacity provider strategy"),
    ("create_service", {**NEW, "clientToken": "x" * 65}, INVALID, "64"),
    ("create_service", {**NEW, "tags": MANY_TAGS}, INVALID, "50"),
    ("create_service", {**NEW, "tags": [{"key": "aws:x", "value": "y"}]}, INVALID, "reserved"),
    ("create_service", {**NEW, "serviceName": "user"}, INVALID, "was not idempotent"),
    ("create_service", {**DAEMON, "desiredCount": 1}, INVALID, "does not support a desired count"),
    ("create_service", {**DAEMON, "placementStrategy": [ZONE]}, INVALID, "placement strategies"),
    ("create_service", {**DAEMON, "placementConstraints": [DISTINCT]}, INVALID, "distinctInstance"),
    ("create_service", {**DAEMON, "deploymentConfiguration": {"maximumPercent": 150}}, INVALID,
     "values above 100 for maximumPercent"),
    ("create_service", {**DAEMON, "deploymentConfiguration": {"minimumHealthyPercent": 100}},
     INVALID, "cannot be 100"),
    ("create_service", {**DAEMON, "capacityProviderStrategy": [CP]}, INVALID, "capacity provider"),
    ("create_service", {**DAEMON, "availabilityZoneRebalancing": "ENABLED"}, INVALID,
     "Availability Zone rebalancing"),
]  # fmt: skip

RUN, START = {**WEB}, {**WEB, "containerInstances": ["{host}"]}
LONG = [{"type": "memberOf", "expression": f"attribute:a == {'x' * 2000}"}]
TASKS: list[Row] = [
    ("run_task", {}, INVALID, NULL),
    ("run_task", {**RUN, "count": 0}, INVALID, "between 1 and 10"),
    ("run_task", {**RUN, "count": 11}, INVALID, "between 1 and 10"),
    ("run_task", {**RUN, "group": "service:held"}, INVALID, "Invalid namespace for group."),
    ("run_task", {**RUN, "group": "g" * 256}, INVALID, "255"),
    ("run_task", {**RUN, "startedBy": "x" * 129}, INVALID, "128"),
    ("run_task", {**RUN, "clientToken": "x" * 65}, INVALID, "64"),
    ("run_task", {**RUN, "placementStrategy": [ZONE] * 6}, INVALID, "is 5"),
    ("run_task", {**RUN, "placementConstraints": [DISTINCT] * 11}, INVALID, "is 10"),
    ("run_task", {**RUN, "placementConstraints": LONG}, INVALID, "2000"),
    ("run_task", {**RUN, "launchType": "FARGATE"}, UNSUPPORTED, "FARGATE"),
    ("run_task", {**RUN, "launchType": "EC2", "capacityProviderStrategy": [CP]}, INVALID,
     "both a launch type"),
    ("run_task", {**RUN, "capacityProviderStrategy": [CP] * 21}, INVALID, "at most 20"),
    ("run_task", {**RUN, "capacityProviderStrategy": [{"capacityProvider": "no"}]}, INVALID,
     "not associated"),
    ("run_task", {**RUN, "propagateTags": "SERVICE"}, INVALID, "cannot inherit a service's"),
    ("run_task", {**RUN, "tags": MANY_TAGS}, INVALID, "50"),
    ("run_task", {**RUN, "overrides": {"containerOverrides": [{"name": "other"}]}}, INVALID,
     "other"),
    ("run_task", {**RUN, "taskDefinition": "none"}, CLIENT, "TaskDefinition not found"),
    ("run_task", {**RUN, "taskDefinition": "old:1"}, CLIENT, "inactive"),
    ("run_task", {**RUN, "cluster": "west"}, INVALID, "No Container Instances were found"),
    ("run_task", {**RUN, "networkConfiguration": VPC}, INVALID, "not valid for the given network"),
    ("run_task", {**RUN, "overrides": {"containerOverrides": [{"name": "main"}] * 2}}, INVALID,
     "More than one override"),
    ("run_task", {**RUN, "overrides": {"taskRoleArn": "r"}}, UNSUPPORTED, "taskRoleArn"),
    ("run_task",
     {**RUN, "overrides": {"containerOverrides": [{"name": "main", "command": ["x" * 8192]}]}},
     INVALID, "8192"),
    ("start_task", {**START, "networkConfiguration": VPC}, INVALID, "not valid for the given net"),
    ("start_task", WEB, INVALID, NULL),
    ("start_task", {**START, "containerInstances": []}, INVALID, "cannot be empty"),
    ("start_task", {**START, "containerInstances": ["{host}"] * 11}, INVALID, "is 10"),
    ("start_task", {**START, "startedBy": "x" * 37}, INVALID, "36"),
    ("start_task", {**START, "group": "service:held"}, INVALID, "Invalid namespace for group."),
    ("start_task", {**START, "propagateTags": "SERVICE"}, INVALID, "cannot inherit a service's"),
    ("start_task", {**START, "overrides": {"containerOverrides": [{"name": "other"}]}}, INVALID,
     "other"),
    ("start_task", {**START, "taskDefinition": "vpc"}, INVALID, "Network Configuration must be"),
]  # fmt: skip
