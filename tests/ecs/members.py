"""Every member of every operation that is built: what a sound request gives it, or how it is refused.

`SOUND` and `REFUSED` name things of `test_members.py`'s scene as `{host}`: texts are filled in there.
A member that botocore's model gains belongs into one of the three tables, or the tests fail.
"""

from typing import Any

UNSUPPORTED = "UnsupportedFeatureException"
INVALID = "InvalidParameterException"
Members = dict[str, Any]

TAGS = [{"key": "team", "value": "harbour"}]
VPC = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
ATTRIBUTE = {"name": "rack", "targetId": "{host}"}
DISTINCT = [{"type": "distinctInstance"}]
SPREAD = [{"type": "spread", "field": "attribute:ecs.availability-zone"}]
STRATEGY = [{"capacityProvider": "cp", "weight": 1}]
GROUP = {"autoScalingGroupArn": "second"}
INSIGHTS = [{"name": "containerInsights", "value": "enabled"}]
LOGGING = {"executeCommandConfiguration": {"logging": "NONE"}}
VOLUME = [{"name": "v", "managedEBSVolume": {"roleArn": "arn:aws:iam::1:role/r"}}]
LATTICE = [{"roleArn": "r", "targetGroupArn": "t", "portName": "p"}]
METRICS = {"metricConfigurations": [{"metricNames": ["cpu"], "resolutionSeconds": 20}]}
MANAGED = {
    "infrastructureRoleArn": "r",
    "instanceLaunchTemplate": {"ec2InstanceProfileArn": "p", "networkConfiguration": {}},
}
CONNECT = {"namespace": "shop"}
CONTAINER = {"name": "main", "image": "demo:1", "memory": 64}
# What RunTask and StartTask have in common, and CreateService and UpdateService.
OF_TASKS: Members = {
    "cluster": "default",
    "enableECSManagedTags": True,
    "enableExecuteCommand": True,
    "group": "crew",
    "overrides": {"containerOverrides": [{"name": "web", "command": ["true"]}]},
    "propagateTags": "TASK_DEFINITION",
    "startedBy": "me",
    "tags": TAGS,
    "taskDefinition": "web",
}
OF_SERVICES: Members = {
    "cluster": "default",
    "taskDefinition": "web",
    "desiredCount": 2,
    "deploymentConfiguration": {"maximumPercent": 150},
    "availabilityZoneRebalancing": "ENABLED",
    "placementConstraints": DISTINCT,
    "placementStrategy": SPREAD,
    "healthCheckGracePeriodSeconds": 5,
    "deploymentController": {"type": "ECS"},
    "enableExecuteCommand": True,
    "enableECSManagedTags": True,
    "propagateTags": "SERVICE",
}
REPORT: Members = {"cluster": "default", "task": "{task}", "status": "RUNNING", "reason": "so"}
PAGE: Members = {"maxResults": 1}

# Requests that are answered, by operation; together they have every member that acts.
SOUND: dict[str, list[Members]] = {
    "ContinueServiceDeployment": [
        {"serviceDeploymentArn": "{paused}", "hookId": "{hook}", "action": "CONTINUE"}
    ],
    "CreateCapacityProvider": [{"name": "new", "autoScalingGroupProvider": GROUP, "tags": TAGS}],
    "CreateCluster": [
        {
            "clusterName": "default",
            "settings": INSIGHTS[:0],
            "capacityProviders": ["cp"],
            "defaultCapacityProviderStrategy": [],
        },
        {"clusterName": "new", "tags": TAGS, "settings": INSIGHTS, "configuration": LOGGING},
    ],
    "CreateService": [
        {
            **OF_SERVICES,
            "serviceName": "new",
            "clientToken": "once",
            "launchType": "EC2",
            "schedulingStrategy": "REPLICA",
            "tags": TAGS,
        },
        {"serviceName": "new", "taskDefinition": "web", "desiredCount": 1,
         "capacityProviderStrategy": STRATEGY},
        {"serviceName": "new", "taskDefinition": "vpc", "desiredCount": 0,
         "networkConfiguration": VPC},
    ],
    "DeleteAccountSetting": [{"name": "containerInsights", "principalArn": "{root}"}],
    "DeleteAttributes": [{"cluster": "default", "attributes": [ATTRIBUTE]}],
    "DeleteCapacityProvider": [{"capacityProvider": "free"}],
    "DeleteCluster": [{"cluster": "empty"}],
    "DeleteService": [{"cluster": "default", "service": "web", "force": True}],
    "DeleteTaskDefinitions": [{"taskDefinitions": ["old:1"]}],
    "DeregisterContainerInstance": [
        {"cluster": "default", "containerInstance": "{host}", "force": True}
    ],
    "DeregisterTaskDefinition": [{"taskDefinition": "web:1"}],
    "DescribeCapacityProviders": [
        {"capacityProviders": ["cp"], "cluster": "default", "include": ["TAGS"]},
        PAGE,
    ],
    "DescribeClusters": [{"clusters": ["default"], "include": ["TAGS"]}],
    "DescribeContainerInstances": [
        {"cluster": "default", "containerInstances": ["{host}"], "include": ["TAGS"]}
    ],
    "DescribeServiceDeployments": [{"serviceDeploymentArns": ["{paused}"]}],
    "DescribeServiceRevisions": [{"serviceRevisionArns": ["{revision}"]}],
    "DescribeServices": [{"cluster": "default", "services": ["web"], "include": ["TAGS"]}],
    "DescribeTaskDefinition": [{"taskDefinition": "web", "include": ["TAGS"]}],
    "DescribeTasks": [{"cluster": "default", "tasks": ["{task}"], "include": ["TAGS"]}],
    "DiscoverPollEndpoint": [{"containerInstance": "{host}"}],
    "GetTaskProtection": [{"cluster": "default", "tasks": ["{kept}"]}],
    "ListAccountSettings": [
        {"name": "containerInsights", "value": "disabled", "effectiveSettings": True},
        {"principalArn": "{root}", **PAGE},
    ],
    "ListAttributes": [
        {"cluster": "default", "targetType": "container-instance", "attributeName": "rack",
         "attributeValue": "7", **PAGE}
    ],
    "ListClusters": [PAGE],
    "ListContainerInstances": [
        {"cluster": "default", "filter": "runningTasksCount >= 0", "status": "ACTIVE", **PAGE}
    ],
    "ListServiceDeployments": [
        {"service": "web", "cluster": "default", "status": ["PENDING"],
         "createdAt": {"after": 0.0, "before": 4e9}, **PAGE}
    ],
    "ListServices": [
        {"cluster": "default", "launchType": "EC2", "schedulingStrategy": "REPLICA",
         "resourceManagementType": "CUSTOMER", **PAGE}
    ],
    "ListTagsForResource": [{"resourceArn": "{service}"}],
    "ListTaskDefinitionFamilies": [{"familyPrefix": "w", "status": "ALL", **PAGE}],
    "ListTaskDefinitions": [{"familyPrefix": "web", "status": "ACTIVE", "sort": "DESC", **PAGE}],
    "ListTasks": [
        {"cluster": "default", "containerInstance": "{host}", "family": "web",
         "serviceName": "web", "desiredStatus": "RUNNING", "launchType": "EC2", **PAGE},
        {"startedBy": "me"},
    ],
    "PutAccountSetting": [
        {"name": "containerInsights", "value": "enabled", "principalArn": "{root}"}
    ],
    "PutAccountSettingDefault": [{"name": "containerInsights", "value": "enabled"}],
    "PutAttributes": [{"cluster": "default", "attributes": [ATTRIBUTE]}],
    "PutClusterCapacityProviders": [
        {"cluster": "default", "capacityProviders": ["cp"],
         "defaultCapacityProviderStrategy": STRATEGY}
    ],
    "RegisterContainerInstance": [
        {
            "cluster": "default",
            "totalResources": [
                {"name": "CPU", "type": "INTEGER", "integerValue": 64},
                {"name": "MEMORY", "type": "INTEGER", "integerValue": 64},
            ],
            "versionInfo": {"agentVersion": "1.0.0"},
            "containerInstanceArn": "{host}",
            "attributes": [{"name": "rack"}],
            "platformDevices": [{"id": "GPU-1", "type": "GPU"}],
            "tags": TAGS,
            "clientToken": "once",
        }
    ],
    "RegisterTaskDefinition": [
        {
            "family": "new",
            "taskRoleArn": "r",
            "executionRoleArn": "r",
            "networkMode": "bridge",
            "containerDefinitions": [CONTAINER],
            "volumes": [{"name": "v"}],
            "placementConstraints": [{"type": "memberOf", "expression": "attribute:x exists"}],
            "requiresCompatibilities": ["EC2"],
            "cpu": "256",
            "memory": "512",
            "tags": TAGS,
            "pidMode": "task",
            "ipcMode": "task",
            "proxyConfiguration": {"containerName": "main"},
            "inferenceAccelerators": [{"deviceName": "d", "deviceType": "t"}],
            "ephemeralStorage": {"sizeInGiB": 21},
            "runtimePlatform": {"cpuArchitecture": "X86_64"},
            "enableFaultInjection": True,
            "trustedExecutionConfiguration": {"isolationMode": "SHARED"},
        }
    ],
    "RunTask": [
        {**OF_TASKS, "count": 2, "launchType": "EC2", "placementConstraints": DISTINCT,
         "placementStrategy": SPREAD, "clientToken": "once"},
        {"taskDefinition": "web", "capacityProviderStrategy": STRATEGY},
        {"taskDefinition": "vpc", "networkConfiguration": VPC},
    ],
    "StartTask": [
        {**OF_TASKS, "containerInstances": ["{host}"]},
        {"taskDefinition": "vpc", "networkConfiguration": VPC, "containerInstances": ["{host}"]},
    ],
    "StopServiceDeployment": [{"serviceDeploymentArn": "{paused}", "stopType": "ABORT"}],
    "StopTask": [{"cluster": "default", "task": "{task}", "reason": "enough"}],
    "SubmitContainerStateChange": [
        {**REPORT, "containerName": "web", "runtimeId": "c", "exitCode": 0, "networkBindings": []}
    ],
    "SubmitTaskStateChange": [
        {**REPORT, "containers": [], "pullStartedAt": 1.0, "pullStoppedAt": 2.0,
         "executionStoppedAt": 3.0}
    ],
    "TagResource": [{"resourceArn": "{service}", "tags": TAGS}],
    "UntagResource": [{"resourceArn": "{service}", "tagKeys": ["team"]}],
    "UpdateCapacityProvider": [
        {"name": "free", "autoScalingGroupProvider": {"managedDraining": "DISABLED"}}
    ],
    "UpdateCluster": [{"cluster": "default", "settings": INSIGHTS, "configuration": LOGGING}],
    "UpdateClusterSettings": [{"cluster": "default", "settings": INSIGHTS}],
    "UpdateContainerAgent": [],
    "UpdateContainerInstancesState": [
        {"cluster": "default", "containerInstances": ["{host}"], "status": "DRAINING"}
    ],
    "UpdateService": [
        {**OF_SERVICES, "service": "web", "forceNewDeployment": True},
        {"service": "web", "capacityProviderStrategy": STRATEGY},
        {"service": "web", "taskDefinition": "vpc", "networkConfiguration": VPC},
    ],
    "UpdateTaskProtection": [
        {"cluster": "default", "tasks": ["{kept}"], "protectionEnabled": True,
         "expiresInMinutes": 5}
    ],
}  # fmt: skip

_NOT_OF_TASKS: dict[str, tuple[Any, str]] = {
    "referenceId": ("r", UNSUPPORTED),
    "volumeConfigurations": (VOLUME, UNSUPPORTED),
}
_NOT_OF_SERVICES: dict[str, tuple[Any, str]] = {
    "loadBalancers": ([{"targetGroupArn": "t"}], UNSUPPORTED),
    "serviceRegistries": ([{"registryArn": "r"}], UNSUPPORTED),
    "platformVersion": ("LATEST", INVALID),
    "serviceConnectConfiguration": ({"enabled": True}, UNSUPPORTED),
    "volumeConfigurations": (VOLUME, UNSUPPORTED),
    "vpcLatticeConfigurations": (LATTICE, UNSUPPORTED),
    "gatewayConnectors": ([{"portName": "p"}], UNSUPPORTED),
    "monitoring": (METRICS, UNSUPPORTED),
}
_NOT_OF_PROVIDERS: dict[str, tuple[Any, str]] = {
    "cluster": ("default", INVALID),
    "managedInstancesProvider": (MANAGED, UNSUPPORTED),
}
# Members that are refused by name where they ask for anything: a value that does, and the code.
REFUSED: dict[str, dict[str, tuple[Any, str]]] = {
    "CreateCapacityProvider": _NOT_OF_PROVIDERS,
    "CreateCluster": {"serviceConnectDefaults": (CONNECT, UNSUPPORTED)},
    "CreateService": {**_NOT_OF_SERVICES, "role": ("r", UNSUPPORTED)},
    "DeleteCapacityProvider": {"cluster": ("default", INVALID)},
    "ListTasks": {"daemonName": ("d", UNSUPPORTED)},
    "RunTask": {**_NOT_OF_TASKS, "platformVersion": ("LATEST", INVALID)},
    "StartTask": _NOT_OF_TASKS,
    "UpdateCapacityProvider": _NOT_OF_PROVIDERS,
    "UpdateCluster": {"serviceConnectDefaults": (CONNECT, UNSUPPORTED)},
    "UpdateService": _NOT_OF_SERVICES,
}

# Members that the model itself leaves one value, so that its constraint says all.
ONE_VALUE: dict[str, set[str]] = {"ListAttributes": {"targetType"}}

# Members that agents send of what does not exist here; to refuse them would end their agents.
IDLE: dict[str, dict[str, str]] = {
    "DiscoverPollEndpoint": {
        "cluster": "all clusters have one address",
        "zoneId": "all zones have one address",
    },
    "RegisterContainerInstance": {
        "instanceIdentityDocument": "a host is known by its key",
        "instanceIdentityDocumentSignature": "a host is known by its key",
    },
    "SubmitTaskStateChange": {
        "attachments": "no task is given a network interface or a volume of EBS",
        "managedAgents": "there is no ExecuteCommand",
    },
}


def filled(value: Any, names: dict[str, str]) -> Any:
    """A value of the tables with a scene's names in it."""
    if isinstance(value, dict):
        return {name: filled(inner, names) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, names) for inner in value]
    return value.format(**names) if isinstance(value, str) else value
