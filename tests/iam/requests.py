"""For each operation the requests that name a thing of the first account, by its ARN and by its name."""

from collections.abc import Callable
from typing import Any

from tests.house import ACCOUNT, REGION
from tests.iam.world import Names, index

Requests = Callable[[Names], list[dict[str, Any]]]
CONTAINERS = [{"name": "main", "image": "somewhere/image:1", "memory": 64}]
IMAGES = [{"imageTag": "v1"}]
TAGS = [{"key": "mine", "value": "now"}]
INSIGHTS = [{"name": "containerInsights", "value": "enabled"}]
LABELS = [{"Key": "mine", "Value": "now"}]


def pairs(kind: str, member: str, **others: Any) -> Requests:
    """A thing inside a cluster: by ARN in each way to name the cluster, and by its names alone."""

    def requests(n: Names) -> list[dict[str, Any]]:
        own = {"service": n.service, "task": n.task, "container-instance": n.instance}[kind]
        one, many = n.arn(kind), member.endswith("s")
        return [
            {**others, "cluster": cluster, member: [text] if many else text}
            for cluster, text in (
                (n.arn("cluster"), one),
                ("default", one),
                (n.cluster, one),
                (n.cluster, own),
                (n.arn("cluster"), own),
                ("default", f"{n.cluster}/{own}"),
            )
        ]

    return requests


def tagged(arns: Callable[[Names], list[str]], **others: Any) -> Requests:
    """All things that carry tags."""
    return lambda n: [{"resourceArn": arn, **others} for arn in arns(n)]


def ecs_arns(n: Names) -> list[str]:
    kinds = ("cluster", "service", "task-definition", "task", "container-instance")
    return [n.arn(kind) for kind in kinds]


GROUPS = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:x:autoScalingGroupName/"


def clustered(*members: dict[str, Any]) -> Requests:
    """What asks about a whole cluster."""
    every = members or ({},)
    return lambda n: [
        {"cluster": text, **more} for text in (n.arn("cluster"), n.cluster) for more in every
    ]


def defined(member: str = "taskDefinition") -> Requests:
    """What names a task definition."""
    return lambda n: [{member: text} for text in (n.arn("task-definition"), f"{n.family}:1")]


def settled(**others: Any) -> Requests:
    """What is about account settings: the caller's own, and those of principals of the first."""
    people = (f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{ACCOUNT}:user/jane")
    return lambda _: [others, *({**others, "principalArn": arn} for arn in people)]


def launched(**others: Any) -> Requests:
    """What starts tasks: another's cluster, or another's definition in a cluster of one's own."""
    return lambda n: [
        {"cluster": n.arn("cluster"), "taskDefinition": n.arn("task-definition"), **others},
        {"cluster": "default", "taskDefinition": n.arn("task-definition"), **others},
        {"cluster": n.cluster, "taskDefinition": f"{n.family}:1", **others},
    ]


def attributed(**others: Any) -> Requests:
    """What names hosts inside a list of attributes."""
    return lambda n: [
        {
            "cluster": one["cluster"],
            "attributes": [
                {
                    "name": "secret",
                    "targetType": "container-instance",
                    "targetId": one["targetId"],
                    **others,
                }
            ],
        }
        for one in pairs("container-instance", "targetId")(n)
    ]


def reported(**others: Any) -> Requests:
    """What an agent says of a task."""
    return lambda n: [
        {"cluster": cluster, "task": task, **others}
        for cluster in (n.cluster, n.arn("cluster"))
        for task in (n.task, n.arn("task"))
    ]


def stored(**others: Any) -> Requests:
    """What names a repository: in its owner's registry, and by the name alone."""
    return lambda n: [
        {"repositoryName": n.repository, "registryId": ACCOUNT, **others},
        {"repositoryName": n.repository, **others},
    ]


def provided(member: str, **others: Any) -> Requests:
    """What names a capacity provider."""
    return lambda n: [{member: text, **others} for text in (n.arn("capacity-provider"), n.provider)]


ECS: dict[str, Requests] = {
    "ContinueServiceDeployment": lambda n: [
        {"serviceDeploymentArn": n.arn("service-deployment"), "hookId": "ecs-pause-1", **more}
        for more in ({}, {"action": "ROLLBACK"})
    ],
    "CreateCapacityProvider": lambda n: [
        {"name": "mine", "autoScalingGroupProvider": {"autoScalingGroupArn": text}}
        for text in (f"{GROUPS}{n.pool}", n.pool)
    ],
    "CreateCluster": lambda n: [{"clusterName": n.arn("cluster")}, {"clusterName": n.cluster}],
    "CreateService": launched(serviceName="watch", desiredCount=0),
    "DeleteAccountSetting": settled(name="awsvpcTrunking"),
    "DeleteAttributes": attributed(),
    "DeleteCapacityProvider": provided("capacityProvider"),
    "DeleteCluster": clustered(),
    "DeleteService": pairs("service", "service", force=True),
    "DeleteTaskDefinitions": lambda n: [
        {"taskDefinitions": [f"{text}:{number}"]}
        for number in (1, 2)
        for text in (n.arn("task-definition").rpartition(":")[0], n.family)
    ],
    "DeregisterContainerInstance": pairs("container-instance", "containerInstance", force=True),
    "DeregisterTaskDefinition": defined(),
    "DescribeCapacityProviders": lambda n: [
        {"capacityProviders": [text], "include": ["TAGS"]}
        for text in (n.arn("capacity-provider"), n.provider)
    ],
    "DescribeClusters": lambda n: [
        {"clusters": [text], "include": ["TAGS", "STATISTICS", "CONFIGURATIONS"]}
        for text in (n.arn("cluster"), n.cluster)
    ],
    "DescribeContainerInstances": pairs(
        "container-instance", "containerInstances", include=["TAGS"]
    ),
    "DescribeServiceDeployments": lambda n: [
        {"serviceDeploymentArns": [n.arn("service-deployment")]}
    ],
    "DescribeServiceRevisions": lambda n: [{"serviceRevisionArns": [n.arn("service-revision")]}],
    "DescribeServices": pairs("service", "services", include=["TAGS"]),
    "DescribeTaskDefinition": defined(),
    "DescribeTasks": pairs("task", "tasks", include=["TAGS"]),
    "DiscoverPollEndpoint": lambda n: [
        {"cluster": n.cluster, "containerInstance": n.arn("container-instance")},
        {"cluster": n.cluster, "containerInstance": n.instance},
    ],
    "GetTaskProtection": pairs("task", "tasks"),
    "ListAccountSettings": settled(name="awsvpcTrunking", effectiveSettings=True),
    "ListAttributes": clustered({"targetType": "container-instance"}),
    "ListClusters": lambda _: [{}],
    "ListContainerInstances": clustered(),
    "ListServiceDeployments": pairs("service", "service"),
    "ListServices": clustered(),
    "ListTagsForResource": tagged(ecs_arns),
    "ListTaskDefinitionFamilies": lambda n: [{}, {"familyPrefix": n.family}, {"status": "ALL"}],
    "ListTaskDefinitions": lambda n: [{}, {"familyPrefix": n.family}],
    "ListTasks": lambda n: [
        *clustered({}, {"family": n.family}, {"serviceName": n.service})(n),
        {"containerInstance": n.arn("container-instance")},
        {"serviceName": n.arn("service")},
    ],
    "PutAttributes": attributed(value="mine"),
    "PutAccountSetting": settled(name="awsvpcTrunking", value="enabled"),
    "PutAccountSettingDefault": lambda _: [{"name": "awsvpcTrunking", "value": "enabled"}],
    "PutClusterCapacityProviders": lambda n: [
        {"cluster": text, "capacityProviders": [name], "defaultCapacityProviderStrategy": []}
        for text in (n.arn("cluster"), n.cluster)
        for name in (n.provider, "none")
    ],
    "RegisterContainerInstance": lambda n: [
        {"cluster": n.arn("cluster"), "containerInstanceArn": n.arn("container-instance")},
        {"cluster": n.cluster, "containerInstanceArn": n.arn("container-instance")},
    ],
    "RegisterTaskDefinition": lambda n: [
        {"family": n.arn("task-definition"), "containerDefinitions": CONTAINERS},
        {"family": n.family, "containerDefinitions": CONTAINERS},
    ],
    "RunTask": launched(),
    "StartTask": lambda n: [
        {**members, "containerInstances": [text]}
        for members in launched()(n)
        for text in (n.arn("container-instance"), n.instance)
    ],
    "StopServiceDeployment": lambda n: [
        {"serviceDeploymentArn": n.arn("service-deployment"), **more}
        for more in ({}, {"stopType": "ABORT"})
    ],
    "StopTask": pairs("task", "task"),
    "SubmitContainerStateChange": reported(containerName="main", status="STOPPED", exitCode=1),
    "SubmitTaskStateChange": reported(status="STOPPED", reason="said by another"),
    "TagResource": tagged(ecs_arns, tags=TAGS),
    "UntagResource": tagged(ecs_arns, tagKeys=["secret"]),
    "UpdateCapacityProvider": provided(
        "name", autoScalingGroupProvider={"managedDraining": "DISABLED"}
    ),
    "UpdateCluster": clustered({"settings": INSIGHTS}),
    "UpdateClusterSettings": clustered({"settings": INSIGHTS}),
    "UpdateContainerAgent": pairs("container-instance", "containerInstance"),
    "UpdateContainerInstancesState": pairs(
        "container-instance", "containerInstances", status="DRAINING"
    ),
    "UpdateService": pairs("service", "service", desiredCount=0, forceNewDeployment=True),
    "UpdateTaskProtection": pairs("task", "tasks", protectionEnabled=True),
}
ECR: dict[str, Requests] = {
    "BatchCheckLayerAvailability": lambda n: stored(layerDigests=[n.digest])(n),
    "BatchDeleteImage": stored(imageIds=IMAGES),
    "BatchGetImage": lambda n: [
        *stored(imageIds=IMAGES)(n),
        *stored(imageIds=[{"imageDigest": n.digest}])(n),
    ],
    "CreateRepository": stored(),
    "DeleteRepository": stored(force=True),
    "DescribeImages": stored(imageIds=IMAGES),
    "DescribeRepositories": lambda n: [
        {"repositoryNames": [n.repository], "registryId": ACCOUNT},
        {"repositoryNames": [n.repository]},
        {"registryId": ACCOUNT},
        {},
    ],
    "GetAuthorizationToken": lambda _: [{"registryIds": [ACCOUNT]}],
    "ListImages": stored(),
    "ListTagsForResource": tagged(lambda n: [n.repository_arn]),
    "PutImage": stored(imageManifest=index("of another"), imageTag="v1"),
    "PutImageTagMutability": stored(imageTagMutability="IMMUTABLE"),
    "TagResource": tagged(lambda n: [n.repository_arn], tags=LABELS),
    "UntagResource": tagged(lambda n: [n.repository_arn], tagKeys=["secret"]),
}
