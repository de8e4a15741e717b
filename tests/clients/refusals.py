"""What each operation of the scheduler refuses, as boto3 without validation of its own asks for it.

Rows of (operation, members, code, part of the sentence). `{host}` and others are names of the desk
(`desk.py`). The words are AWS's where AWS publishes them.
"""

from typing import Any

INVALID = "InvalidParameterException"
CLIENT = "ClientException"
UNSUPPORTED = "UnsupportedFeatureException"
NO_CLUSTER = "ClusterNotFoundException"
SERIAL = "SerializationException"
NULL = "Member must not be null"
ENUM = "enum value set"
Row = tuple[str, dict[str, Any], str, str]

NOWHERE = "d" * 32
FOREIGN = "999988887777"
HOST = {"targetType": "container-instance"}
DEFAULT = {"cluster": "default"}
INSIGHTS = {"name": "containerInsights", "value": "enabled"}
EXECUTE = "executeCommandConfiguration"
MANY_TAGS = [{"key": f"k{number}"} for number in range(51)]
CP = {"capacityProvider": "cp"}
GROUP = {"autoScalingGroupArn": "second"}
OTHERS_GROUP = (
    f"arn:aws:autoscaling:us-east-1:{FOREIGN}:autoScalingGroup:x:autoScalingGroupName/second"
)
PREFIX = "arn:aws:ecs:us-east-1"
DEPLOYMENT = "service-deployment/default/held/x"


def _scaling(**members: Any) -> dict[str, Any]:
    return {"name": "new", "autoScalingGroupProvider": {**GROUP, "managedScaling": members}}


CLUSTERS: list[Row] = [
    ("update_cluster", {}, INVALID, NULL),
    ("update_cluster", {"cluster": 7}, SERIAL, ""),
    ("update_cluster", {**DEFAULT, "settings": [{**INSIGHTS, "name": "other"}]}, INVALID, ENUM),
    ("update_cluster", {**DEFAULT, "settings": [{**INSIGHTS, "value": "on"}]}, INVALID, "enhanced"),
    ("update_cluster", {**DEFAULT, "settings": [INSIGHTS, INSIGHTS]}, INVALID, "given twice"),
    ("update_cluster", {**DEFAULT, "configuration": {EXECUTE: {"logging": "X"}}}, INVALID, ENUM),
    ("update_cluster", {**DEFAULT, "configuration": {EXECUTE: {"logging": "OVERRIDE"}}}, INVALID,
     "logConfiguration"),
    ("update_cluster", {**DEFAULT, "serviceConnectDefaults": {"namespace": "shop"}}, UNSUPPORTED,
     "serviceConnectDefaults"),
    ("update_cluster_settings", {"settings": [INSIGHTS]}, INVALID, NULL),
    ("update_cluster_settings", DEFAULT, INVALID, NULL),
    ("update_cluster_settings", {**DEFAULT, "settings": []}, INVALID, "cannot be empty"),
    ("update_cluster_settings", {**DEFAULT, "settings": [{**INSIGHTS, "name": "x"}]}, INVALID,
     ENUM),
    ("update_cluster_settings", {**DEFAULT, "settings": [INSIGHTS, INSIGHTS]}, INVALID, "twice"),
]  # fmt: skip


def _put(providers: list[str], *strategy: dict[str, Any]) -> dict[str, Any]:
    return {
        **DEFAULT,
        "capacityProviders": providers,
        "defaultCapacityProviderStrategy": [*strategy],
    }


PROVIDERS: list[Row] = [
    ("put_cluster_capacity_providers", DEFAULT, INVALID, NULL),
    ("put_cluster_capacity_providers", {**DEFAULT, "capacityProviders": ["cp"]}, INVALID, NULL),
    ("put_cluster_capacity_providers", _put(["none"]), INVALID, "not in an ACTIVE state"),
    ("put_cluster_capacity_providers", _put(["cp", "cp"]), INVALID, "duplicates"),
    ("put_cluster_capacity_providers", _put([f"p{n}" for n in range(21)]), INVALID, "at most 20"),
    ("put_cluster_capacity_providers", _put(["FARGATE"]), UNSUPPORTED, "FARGATE"),
    ("put_cluster_capacity_providers", _put(["cp", "west-cp"]), INVALID, "join the cluster west"),
    ("put_cluster_capacity_providers", _put([]), "ResourceInUseException", "in use"),
    ("put_cluster_capacity_providers", _put(["cp"], {"capacityProvider": "no"}), INVALID,
     "not associated"),
    ("put_cluster_capacity_providers", _put(["cp"], CP, CP), INVALID, "duplicate"),
    ("put_cluster_capacity_providers", _put(["cp"], {"weight": 1}), INVALID, NULL),
    ("put_cluster_capacity_providers", _put(["cp"], {**CP, "weight": 1001}), INVALID, "1000"),
    ("put_cluster_capacity_providers", _put(["cp"], {**CP, "base": -1}), INVALID, "equal to 0"),
    ("create_capacity_provider", {"autoScalingGroupProvider": GROUP}, INVALID, NULL),
    ("create_capacity_provider", {**_scaling(), "name": "a b"}, INVALID, "255"),
    ("create_capacity_provider", {**_scaling(), "name": "x" * 256}, INVALID, "255"),
    ("create_capacity_provider", {**_scaling(), "name": "Fargate-2"}, INVALID, "prefixed"),
    ("create_capacity_provider", {**_scaling(), "name": "cp"}, CLIENT, "already exists"),
    ("create_capacity_provider", {"name": "new"}, INVALID, "autoScalingGroupProvider must be"),
    ("create_capacity_provider", {**_scaling(), "cluster": "default"}, INVALID, "managed inst"),
    ("create_capacity_provider", {"name": "new", "autoScalingGroupProvider": {}}, INVALID, NULL),
    ("create_capacity_provider",
     {"name": "new", "autoScalingGroupProvider": {"autoScalingGroupArn": "none"}}, CLIENT,
     "there are second, spare, western"),
    ("create_capacity_provider",
     {"name": "new", "autoScalingGroupProvider": {"autoScalingGroupArn": OTHERS_GROUP}}, CLIENT,
     "not valid"),
    ("create_capacity_provider",
     {"name": "new", "autoScalingGroupProvider": {"autoScalingGroupArn": "spare"}}, CLIENT,
     "already being used"),
    ("create_capacity_provider", {**_scaling(), "tags": [{"key": "aws:x"}]}, INVALID, "reserved"),
    ("create_capacity_provider", {**_scaling(), "tags": MANY_TAGS}, INVALID, "50"),
    ("create_capacity_provider", _scaling(status="ON"), INVALID, ENUM),
    ("create_capacity_provider", _scaling(targetCapacity=0), INVALID, "equal to 1"),
    ("create_capacity_provider", _scaling(targetCapacity=101), INVALID, "equal to 100"),
    ("create_capacity_provider", _scaling(maximumScalingStepSize=10001), INVALID, "10000"),
    ("create_capacity_provider", _scaling(instanceWarmupPeriod=10001), INVALID, "10000"),
    ("create_capacity_provider", _scaling(minimumScalingStepSize=3, maximumScalingStepSize=2),
     INVALID, "must not be greater"),
    ("create_capacity_provider",
     {"name": "new",
      "autoScalingGroupProvider": {**GROUP, "managedTerminationProtection": "ENABLED"}},
     INVALID, "you must enable managed scaling"),
    ("update_capacity_provider", {"autoScalingGroupProvider": {}}, INVALID, NULL),
    ("update_capacity_provider", {"name": "none", "autoScalingGroupProvider": {}}, CLIENT,
     "does not exist"),
    ("update_capacity_provider", {"name": "cp"}, INVALID, "must be specified"),
    ("update_capacity_provider",
     {"name": "cp", "autoScalingGroupProvider": {"managedTerminationProtection": "ENABLED"}},
     INVALID, "you must enable managed scaling"),
    ("update_capacity_provider",
     {"name": "cp", "cluster": "default", "autoScalingGroupProvider": {}}, INVALID, "managed inst"),
    ("delete_capacity_provider", {}, INVALID, NULL),
    ("delete_capacity_provider", {"capacityProvider": "none"}, CLIENT, "does not exist"),
    ("delete_capacity_provider", {"capacityProvider": "FARGATE"}, CLIENT, "does not exist"),
    ("delete_capacity_provider", {"capacityProvider": "cp"}, CLIENT, "cluster: default"),
    ("delete_capacity_provider", {"capacityProvider": "west-cp", "cluster": "west"}, INVALID,
     "managed instances"),
    ("describe_capacity_providers", {"capacityProviders": ["x"] * 101}, INVALID, "100"),
    ("describe_capacity_providers", {"include": ["ALL"]}, INVALID, ENUM),
]  # fmt: skip

ATTRIBUTES: list[Row] = [
    ("put_attributes", {}, INVALID, NULL),
    ("put_attributes", {"attributes": []}, INVALID, "cannot be empty"),
    ("put_attributes", {"attributes": [{"name": f"a{n}"} for n in range(11)]}, INVALID, "10"),
    ("put_attributes", {"attributes": [{"targetId": "{host}"}]}, INVALID, NULL),
    ("put_attributes", {"attributes": [{"name": "a b", "targetId": "{host}"}]}, INVALID, "'a b'"),
    ("put_attributes", {"attributes": [{"name": "x" * 129, "targetId": "{host}"}]}, INVALID,
     "not well formed"),
    ("put_attributes", {"attributes": [{"name": "a", "value": "", "targetId": "{host}"}]}, INVALID,
     "value of the attribute a"),
    ("put_attributes", {"attributes": [{"name": "a", "value": "x" * 129, "targetId": "{host}"}]},
     INVALID, "value of the attribute a"),
    ("put_attributes", {"attributes": [{"name": "a"}]}, INVALID, "targetId"),
    ("put_attributes", {"attributes": [{"name": "a", "targetId": "{id}"}]}, INVALID, "targetType"),
    ("put_attributes",
     {"attributes": [{"name": "a", "targetId": "{id}", "targetType": "service"}]}, INVALID, ENUM),
    ("put_attributes", {"attributes": [{"name": "ecs.os-type", "targetId": "{host}"}]}, INVALID,
     "container instance's own"),
    ("put_attributes", {"attributes": [{"name": "a", "targetId": NOWHERE, **HOST}]},
     "TargetNotFoundException", f"no container instance {NOWHERE}"),
    ("put_attributes",
     {"attributes": [{"name": "a", "targetId": "{id}", **HOST}], "cluster": "side"},
     "TargetNotFoundException", "the cluster side"),
    ("put_attributes",
     {"attributes": [{"name": "a", "targetId": f"{PREFIX}:{FOREIGN}:container-instance/default/x"}]},
     INVALID, FOREIGN),
    ("put_attributes",
     {"attributes": [{"name": "a", "value": value, "targetId": "{host}"} for value in "xy"]},
     INVALID, "given twice"),
    ("delete_attributes", {}, INVALID, NULL),
    ("delete_attributes", {"attributes": []}, INVALID, "cannot be empty"),
    ("delete_attributes", {"attributes": [{"name": "a", "targetId": "{id}"}]}, INVALID,
     "targetType"),
    ("delete_attributes", {"attributes": [{"name": "ecs.os-type", "targetId": "{host}"}]}, INVALID,
     "container instance's own"),
    ("delete_attributes", {"attributes": [{"name": "a", "targetId": NOWHERE, **HOST}]},
     "TargetNotFoundException", NOWHERE),
    ("list_attributes", {}, INVALID, NULL),
    ("list_attributes", {"targetType": "task"}, INVALID, ENUM),
    ("list_attributes", {**HOST, "attributeValue": "x"}, INVALID, "attributeName"),
    ("list_container_instances", {"filter": "attribute:x =="}, INVALID, "Invalid filter at char"),
    ("list_container_instances", {"filter": "((("}, INVALID, "Invalid filter at character"),
    ("list_container_instances", {"status": "INACTIVE"}, INVALID, ENUM),
    ("update_container_agent", {}, INVALID, NULL),
    ("update_container_agent", {"containerInstance": NOWHERE}, INVALID, "not found"),
    ("update_container_agent", {"containerInstance": "{host}", "cluster": "side"}, INVALID,
     "not found"),
    ("update_container_agent", {"containerInstance": "{host}"}, CLIENT, "not connected"),
]  # fmt: skip

SETTINGS: list[Row] = [
    ("put_account_setting", {"value": "enabled"}, INVALID, NULL),
    ("put_account_setting", {"name": "awsvpcTrunking"}, INVALID, NULL),
    ("put_account_setting", {"name": "dualStackIPv6", "value": "enabled"}, INVALID, ENUM),
    ("put_account_setting", {"name": "awsvpcTrunking", "value": "on"}, INVALID, "enabled"),
    ("put_account_setting", {"name": "guardDutyActivate", "value": "on"}, INVALID, "read-only"),
    ("put_account_setting", {"name": "taskLongArnFormat", "value": "disabled"}, INVALID,
     "no longer disable"),
    ("put_account_setting",
     {"name": "awsvpcTrunking", "value": "enabled", "principalArn": "nobody"}, INVALID,
     "Invalid principalArn"),
    ("put_account_setting",
     {"name": "awsvpcTrunking", "value": "enabled",
      "principalArn": f"arn:aws:iam::{FOREIGN}:root"}, INVALID, FOREIGN),
    ("put_account_setting",
     {"name": "awsvpcTrunking", "value": "enabled",
      "principalArn": "arn:aws:iam::{account}:user/" + "u" * 65}, INVALID, "Invalid principalArn"),
    ("put_account_setting",
     {"name": "fargateTaskRetirementWaitPeriod", "value": "0",
      "principalArn": "arn:aws:iam::{account}:user/u"}, INVALID, "root user"),
    ("put_account_setting_default", {"name": "containerInsights"}, INVALID, NULL),
    ("put_account_setting_default", {"name": "containerInsights", "value": "on"}, INVALID,
     "enhanced"),
    ("delete_account_setting", {}, INVALID, NULL),
    ("delete_account_setting", {"name": "other"}, INVALID, ENUM),
    ("list_account_settings", {"name": "other"}, INVALID, ENUM),
    ("list_account_settings", {"value": "enabled"}, INVALID, "name"),
    ("list_account_settings", {"principalArn": "nobody"}, INVALID, "Invalid principalArn"),
    ("delete_task_definitions", {}, INVALID, NULL),
    ("delete_task_definitions", {"taskDefinitions": []}, INVALID, "cannot be empty"),
    ("delete_task_definitions", {"taskDefinitions": ["old:1"] * 11}, INVALID, "10"),
]  # fmt: skip

DEPLOYMENTS: list[Row] = [
    ("stop_service_deployment", {}, INVALID, NULL),
    ("stop_service_deployment", {"serviceDeploymentArn": ""}, INVALID, "serviceDeploymentArn"),
    ("stop_service_deployment", {"serviceDeploymentArn": "web"}, INVALID, "Invalid identifier"),
    ("stop_service_deployment", {"serviceDeploymentArn": "{paused}", "stopType": "NOW"}, INVALID,
     ENUM),
    ("stop_service_deployment", {"serviceDeploymentArn": "{service}"}, INVALID,
     "no ARN of a service-deployment"),
    ("stop_service_deployment", {"serviceDeploymentArn": f"{PREFIX}:{FOREIGN}:{DEPLOYMENT}"},
     INVALID, FOREIGN),
    ("stop_service_deployment", {"serviceDeploymentArn": "{paused}0"},
     "ServiceDeploymentNotFoundException", "was not found"),
    ("stop_service_deployment", {"serviceDeploymentArn": "{done}"}, "ConflictException",
     "SUCCESSFUL"),
    ("continue_service_deployment", {"serviceDeploymentArn": "{paused}"}, INVALID, NULL),
    ("continue_service_deployment", {"hookId": "{hook}"}, INVALID, NULL),
    ("continue_service_deployment", {"serviceDeploymentArn": "{paused}", "hookId": ""}, INVALID,
     "hookId"),
    ("continue_service_deployment", {"serviceDeploymentArn": "{paused}", "hookId": "other"},
     INVALID, "no hook other"),
    ("continue_service_deployment",
     {"serviceDeploymentArn": "{paused}", "hookId": "{hook}", "action": "STOP"}, INVALID, ENUM),
    ("continue_service_deployment", {"serviceDeploymentArn": "{paused}0", "hookId": "h"},
     "ServiceDeploymentNotFoundException", "was not found"),
    ("continue_service_deployment", {"serviceDeploymentArn": "{done}", "hookId": "h"}, INVALID,
     "not IN_PROGRESS"),
    ("describe_service_deployments", {}, INVALID, NULL),
    ("describe_service_deployments", {"serviceDeploymentArns": []}, INVALID, "1 to 20"),
    ("describe_service_deployments", {"serviceDeploymentArns": ["{done}"] * 21}, INVALID,
     "1 to 20"),
    ("describe_service_deployments", {"serviceDeploymentArns": ["web"]}, INVALID, "Invalid ident"),
    ("list_service_deployments", {}, INVALID, NULL),
    ("list_service_deployments", {"service": "nowhere"}, "ServiceNotFoundException", "not found"),
    ("list_service_deployments", {"service": "held", "cluster": "side"},
     "ServiceNotFoundException", "not found"),
    ("list_service_deployments", {"service": "held", "status": ["DONE"]}, INVALID, ENUM),
    ("get_task_protection", {"tasks": [NOWHERE]}, INVALID, NULL),
    ("get_task_protection", DEFAULT, INVALID, "Tasks cannot be empty"),
    ("get_task_protection", {**DEFAULT, "tasks": [NOWHERE] * 101}, INVALID, "100"),
    ("update_task_protection", {**DEFAULT, "tasks": [NOWHERE]}, INVALID, NULL),
    ("update_task_protection", {**DEFAULT, "protectionEnabled": True}, INVALID, NULL),
    ("update_task_protection", {**DEFAULT, "tasks": [], "protectionEnabled": True}, INVALID,
     "Tasks cannot be empty"),
    ("update_task_protection", {**DEFAULT, "tasks": [NOWHERE] * 11, "protectionEnabled": True},
     INVALID, "10"),
    ("update_task_protection",
     {**DEFAULT, "tasks": [NOWHERE], "protectionEnabled": True, "expiresInMinutes": 0}, INVALID,
     "between 1 and 2880"),
    ("update_task_protection",
     {**DEFAULT, "tasks": [NOWHERE], "protectionEnabled": True, "expiresInMinutes": 2881}, INVALID,
     "between 1 and 2880"),
]  # fmt: skip

ROWS = [*CLUSTERS, *PROVIDERS, *ATTRIBUTES, *SETTINGS, *DEPLOYMENTS]
