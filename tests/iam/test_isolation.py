"""T09, T21, T22: who may reach what, over every operation that is built.

Each operation stands here with the requests that name a thing of the first account, by its ARN and
by its name. A stranger, the account's own hosts, a host of another account and nobody at all send
them: none is shown anything, nothing changes, and a stranger cannot even tell what there is.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from moorage.ecr import api as ecr
from moorage.ecs import api as ecs
from moorage.wire.canonical import Credentials
from tests.house import ACCOUNT, OTHER, REGION
from tests.iam.world import CANARY, GHOST, Names, World, index

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
    return lambda n: [
        {member: text, **others} for text in (n.arn("capacity-provider"), n.provider)
    ]


ECS: dict[str, Requests] = {
    "CreateCapacityProvider": lambda n: [
        {"name": "mine", "autoScalingGroupProvider": {"autoScalingGroupArn": text}}
        for text in (f"{GROUPS}{n.pool}", n.pool)
    ],
    "CreateCluster": lambda n: [{"clusterName": n.arn("cluster")}, {"clusterName": n.cluster}],
    "CreateService": launched(serviceName="watch", desiredCount=0),
    "DeleteAccountSetting": settled(name="awsvpcTrunking"),
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
    "ListAccountSettings": settled(name="awsvpcTrunking", effectiveSettings=True),
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
TABLE = [("ecs", name) for name in ECS] + [("ecr", name) for name in ECR]
BUILT = {"ecs": ecs.ECS.operations, "ecr": ecr.ECR.operations}
# A stranger may make things of its own under any name, and list what is its own.
EMPTY = {"TagResource", "UntagResource"}
OWN = {"CreateCluster", "RegisterTaskDefinition", "CreateRepository"}


def requests(service: str, action: str, names: Names) -> list[dict[str, Any]]:
    return {"ecs": ECS, "ecr": ECR}[service][action](names)


def strings(value: Any) -> Iterator[str]:
    """Every text in an answer or a request."""
    if isinstance(value, dict):
        for member in value.values():
            yield from strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from strings(member)
    elif isinstance(value, str):
        yield value


def is_bare(body: dict[str, Any]) -> bool:
    """Whether an answer shows nothing but what was not found."""
    return not any(value for name, value in body.items() if name != "failures")


@pytest.fixture(scope="module")
def world():
    made = World()
    yield made
    made.close()


@pytest.fixture
def fresh():
    """A world of the test's own: what a stranger makes in its account is seen by no other test."""
    made = World()
    yield made
    made.close()


def test_every_operation_stands_here():
    assert set(ECS) == set(ecs.ECS.operations)
    assert set(ECR) == set(ecr.ECR.operations)


# What even the owner is refused in a world that is as it is.
OWNER_REFUSED = {
    "DeleteCluster": "ClusterContainsContainerInstancesException",
    "CreateRepository": "RepositoryAlreadyExistsException",
    "UpdateContainerAgent": "NoUpdateAvailableException",
}


@pytest.mark.parametrize(("service", "action"), TABLE)
def test_the_owner_reaches_what_these_requests_name(fresh, service, action):
    # Else the refusals below would prove nothing.
    if "root" not in BUILT[service][action].callers:
        return
    answers = [
        fresh.ask(fresh.owner, service, action, **members)
        for members in requests(service, action, fresh.names)
    ]
    assert any(
        one.code == OWNER_REFUSED.get(action, "")
        and (one.code or action in EMPTY or not is_bare(one.body))
        for one in answers
    ), answers[0].text


@pytest.mark.parametrize(("service", "action"), TABLE)
def test_a_stranger_reaches_nothing_and_cannot_tell_what_there_is(fresh, service, action):
    before = fresh.rows(ACCOUNT)
    real = requests(service, action, fresh.names)
    twin = requests(service, action, GHOST)
    for members, ghostly in zip(real, twin, strict=True):
        answer = fresh.ask(fresh.stranger, service, action, **members)
        assert answer.status in {200, 400}, answer.text
        assert CANARY not in answer.text
        if answer.status == 200:
            sent = set(strings(members))
            shown = {text for text in strings(answer.body) if ACCOUNT in text}
            assert shown <= sent, f"{action} shows {shown - sent}"
            names_another = any(ACCOUNT in text for text in sent)
            assert not names_another or (answer.body.get("failures") and is_bare(answer.body))
        if action not in OWN:
            other = fresh.ask(fresh.stranger, service, action, **ghostly)
            assert (answer.status, plain(answer.text, fresh.names)) == (
                other.status,
                plain(other.text, GHOST),
            )
    assert fresh.rows(ACCOUNT) == before


def plain(text: str, names: Names) -> str:
    """An answer with the names in it replaced by what they are names of."""
    fields = sorted(names.__struct_fields__, key=lambda one: -len(getattr(names, one)))
    for field in fields:
        text = text.replace(getattr(names, field), f"<{field}>")
    return text


@pytest.mark.parametrize("who", ["one", "two", "edge", "foreign"])
@pytest.mark.parametrize(("service", "action"), TABLE)
def test_no_host_does_what_people_do(world, service, action, who):
    if "host" in BUILT[service][action].callers:
        return
    before = world.rows()
    for members in requests(service, action, world.names):
        answer = world.ask(getattr(world, who), service, action, **members)
        assert (answer.status, answer.code) == (400, "AccessDeniedException")
        assert CANARY not in answer.text
    assert world.rows() == before


# Not so GetAuthorizationToken: for a host's own registry it is granted, for another's refused below.
OPEN = [
    (service, action)
    for service, action in TABLE
    if "host" in BUILT[service][action].callers and action != "GetAuthorizationToken"
]


@pytest.mark.parametrize("who", ["two", "edge", "foreign"])
@pytest.mark.parametrize(("service", "action"), OPEN)
def test_a_host_speaks_for_no_other(world, service, action, who):
    """T21, T22: another host of the cluster, of another cluster, of another account."""
    before = world.rows()
    for members in requests(service, action, world.names):
        answer = world.ask(getattr(world, who), service, action, **members)
        refusals = {"AccessDeniedException"}
        if who == "foreign" or (who == "edge" and action == "UpdateContainerInstancesState"):
            # What is not in its own account or cluster is not there.
            refusals |= {"InvalidParameterException", "ClusterNotFoundException"}
        assert answer.status == 400
        assert answer.code in refusals, answer.text
        assert CANARY not in answer.text
    assert world.rows() == before


def test_a_host_speaks_for_itself(world):
    # Else the refusals above would prove nothing.
    own = world.names.arn("container-instance")
    for members in (
        {"action": "DiscoverPollEndpoint", "containerInstance": own},
        {"action": "ListTagsForResource", "resourceArn": own},
        {"action": "ListTagsForResource", "resourceArn": world.names.arn("task")},
        {"action": "SubmitTaskStateChange", "task": world.names.task, "status": "PENDING"},
    ):
        action = members.pop("action")
        assert world.ask(world.one, "ecs", action, **members).status == 200, action


@pytest.mark.parametrize("who", ["one", "foreign", "stranger"])
def test_nobody_logs_in_to_anothers_registry(world, who):
    other = OTHER if who == "one" else ACCOUNT
    answer = world.ask(getattr(world, who), "ecr", "GetAuthorizationToken", registryIds=[other])
    assert (answer.status, answer.code) == (400, "InvalidParameterException")


NOBODIES = {
    "unsigned": (None, "MissingAuthenticationTokenException"),
    "unknown key": (
        Credentials(access_key_id="AKIANOBODY", secret_access_key="x" * 40),
        "UnrecognizedClientException",
    ),
}


@pytest.mark.parametrize("who", NOBODIES)
@pytest.mark.parametrize(("service", "action"), TABLE)
def test_nobody_is_let_in(world, service, action, who):
    credentials, code = NOBODIES[who]
    before = world.rows()
    for members in requests(service, action, world.names):
        answer = world.ask(credentials, service, action, **members)
        assert answer.status in {400, 403}
        assert answer.code == code
        assert ACCOUNT not in answer.text
    assert world.rows() == before


def test_a_good_key_with_another_secret_is_nobody(world):
    forged = Credentials(
        access_key_id=world.owner.access_key_id,
        secret_access_key=world.stranger.secret_access_key,
    )
    for service, action in TABLE:
        answer = world.ask(forged, service, action)
        assert answer.code == "InvalidSignatureException", action
