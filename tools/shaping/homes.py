"""Which file is the home of which operation: the one table of this generator kept by hand.

The order matters: a file may import the files above it and no others. A shape that no pattern
names goes to the highest file in the list among the files that use it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Home:
    """A file: the operations and the shapes (regular expressions, matched whole) that live in it."""

    file: str
    subject: str
    operations: str = ""
    shapes: str = ""


@dataclass(frozen=True)
class Package:
    """A package of shapes: where its model is, what of it is wanted, and its files."""

    name: str
    title: str
    version: str
    homes: tuple[Home, ...]
    operations: tuple[str, ...] = ()


ECS = (
    Home("tag", "Tags, and the operations on them", r"(Tag|Untag)Resource|ListTagsForResource"),
    Home("failure", "What an operation on many things could not do", shapes=r"Failure"),
    Home("attribute", "Attributes of container instances", r"(Put|Delete|List)Attributes"),
    Home("account_setting", "Account settings", r".*AccountSettings?(Default)?"),
    Home(
        "network",
        "Network configuration, bindings and interfaces",
        shapes=r"NetworkConfiguration|NetworkBinding|NetworkInterface",
    ),
    Home(
        "container_definition",
        "Container definitions and all they are made of",
        shapes=r"ContainerDefinition|KeyValuePair|SharingStrategy",
    ),
    Home("volume", "Volumes of task definitions", shapes=r"Volume"),
    Home("task_definition", "Task definitions", r"(?!.*Daemon).*TaskDefinition(s|Families)?"),
    Home(
        "managed_instances",
        "Instances that a capacity provider starts by itself",
        shapes=r"(Create|Update)?ManagedInstancesProvider(Configuration)?",
    ),
    Home(
        "capacity_provider",
        "Capacity providers",
        r"(?!PutCluster).*CapacityProviders?",
        r"CapacityProviderStrategyItem",
    ),
    Home(
        "container_instance",
        "Container instances",
        r".*ContainerInstances?(State)?|.*ContainerAgent",
    ),
    Home("agent", "What a container agent asks and reports", r"Submit.*|DiscoverPollEndpoint"),
    Home("cluster", "Clusters", r"(?!.*Gateway).*Clusters?(Settings|CapacityProviders)?"),
    Home(
        "placement",
        "Placement constraints and strategies",
        shapes=r"Placement(Constraint|Strategy)",
    ),
    Home(
        "ebs_volume",
        "EBS volumes that are attached to tasks",
        shapes=r"(Task|Service)VolumeConfiguration",
    ),
    Home("task", "Tasks", r"(Run|Start|Stop)Task|(Describe|List)Tasks"),
    Home("task_protection", "Protection of tasks from scale-in", r".*TaskProtection"),
    Home("execute_command", "Commands in running containers", r"ExecuteCommand"),
    Home("service_connect", "Service Connect", shapes=r"ServiceConnect.*"),
    Home(
        "load_balancer",
        "Load balancers, service registries and lattices that a service is behind",
        shapes=r"LoadBalancer|ServiceRegistry|VpcLattice.*|ServiceRevision(LoadB|VpcL).*",
    ),
    Home("gateway_connector", "The link of a service to a gateway", shapes=r"GatewayConnector"),
    Home(
        "deployment_configuration",
        "How a service is deployed",
        shapes=r"DeploymentConfiguration|DeploymentController|DeploymentEphemeralStorage",
    ),
    Home(
        "managed_resources",
        "Resources that Amazon ECS keeps for a service",
        shapes=r"ECSManagedResources",
    ),
    Home("service_revision", "Service revisions", r"DescribeServiceRevisions"),
    Home("service_deployment", "Service deployments", r".*ServiceDeployments?"),
    Home("task_set", "Task sets", r".*TaskSets?"),
    Home(
        "express_gateway_service",
        "Express gateway services",
        r".*ExpressGatewayService",
        r"ECSExpressGatewayService|IngressPathSummary",
    ),
    Home("service", "Services", r".*Services?(ByNamespace)?"),
    Home("gateway_route", "Routes of gateways", r".*GatewayRoutes?"),
    Home("gateway", "Gateways", r".*Gateway.*"),
    Home("daemon_task_definition", "Task definitions of daemons", r".*DaemonTaskDefinitions?"),
    Home("daemon_deployment", "Deployments and revisions of daemons", r".*Daemon(Deploy|Revis).*"),
    Home("daemon", "Daemons", r".*Daemons?"),
)

ECR = (
    Home("tag", "Tags, and the operations on them", r"(Tag|Untag)Resource|ListTagsForResource"),
    Home("account_setting", "Account settings", r".*AccountSetting"),
    Home("authorization", "Authorization tokens", r"GetAuthorizationToken"),
    Home(
        "repository",
        "Repositories",
        r".*(Repository|Repositories|ImageScanningConfiguration|ImageTagMutability)",
    ),
    Home("repository_policy", "Policies of repositories", r".*RepositoryPolicy"),
    Home("layer", "Layers and their uploads", r".*Layer.*"),
    Home(
        "image",
        "Images",
        r"DescribeImages|ListImages|Batch(Get|Delete)Image|PutImage|ListImageReferrers"
        r"|UpdateImageStorageClass",
        r"ImageIdentifier|ImageScanStatus|ImageScanFindingsSummary",
    ),
    Home("lifecycle_policy", "Lifecycle policies", r".*LifecyclePolicy.*"),
    Home("scan", "Scans of images and their findings", r".*Scan.*"),
    Home("replication", "Replication", r".*Replication.*"),
    Home("registry", "The registry itself", r".*Registry.*"),
    Home("signing", "Signing of images", r".*Signing.*"),
    Home("pull_through_cache", "Pull-through caches and pull times", r".*Pull.*"),
    Home(
        "repository_creation_template",
        "Templates for repositories that come to be by themselves",
        r".*RepositoryCreationTemplates?",
    ),
)

STS = (
    Home("caller_identity", "Who is calling", r"GetCallerIdentity"),
    Home("assume_role", "Roles and the sessions they give", r"AssumeRole"),
)

PACKAGES = (
    Package("ecs", "Amazon Elastic Container Service", "2014-11-13", ECS),
    Package("ecr", "Amazon Elastic Container Registry", "2015-09-21", ECR),
    Package(
        "sts", "AWS Security Token Service", "2011-06-15", STS, ("GetCallerIdentity", "AssumeRole")
    ),
)
