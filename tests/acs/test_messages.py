"""Our structs against Amazon's model: each member that we use is spelt as Amazon spells it."""

import msgspec
import pytest

from moorage.acs import messages, task_messages, telemetry

# Members of the model that are written down here: message, then its members on the wire.
MODEL = {
    messages.PayloadMessage: "containerInstanceArn clusterArn tasks generatedAt messageId seqNum timeline",
    messages.TaskManifestMessage: "containerInstanceArn clusterArn tasks generatedAt messageId timeline",
    messages.TaskIdentifier: "taskArn taskClusterArn desiredStatus",
    messages.TaskStopVerificationAck: "generatedAt messageId stopTasks",
    messages.TaskStopVerificationMessage: "messageId stopCandidates",
    messages.IAMRoleCredentialsMessage: "taskArn taskClusterArn roleCredentials roleType messageId",
    messages.IAMRoleCredentialsAckRequest: "messageId expiration credentialsId",
    messages.AckRequest: "cluster containerInstance messageId",
    messages.NackRequest: "cluster containerInstance messageId reason",
    messages.HeartbeatAckRequest: "messageId",
    messages.CloseMessage: "message",
    messages.ErrorMessage: "message",
    task_messages.DockerConfig: "version config hostConfig",
    task_messages.PortMapping: "containerPort hostPort containerPortRange protocol",
    task_messages.MountPoint: "sourceVolume containerPath readOnly",
    task_messages.VolumeFrom: "sourceContainer readOnly",
    task_messages.ContainerDependency: "containerName condition",
    task_messages.RestartPolicy: "enabled ignoredExitCodes restartAttemptPeriod",
    task_messages.EcrAuthentication: "registryId region endpointOverride useExecutionRole",
    task_messages.HostVolume: "sourcePath",
    task_messages.DockerVolume: "scope autoprovision driver driverOpts labels",
    task_messages.RoleCredentials: (
        "credentialsId roleArn accessKeyId secretAccessKey sessionToken expiration"
    ),
    telemetry.StatisticSet: "min max sampleCount sum",
    telemetry.ContainerMetric: (
        "containerArn containerName cpuStatsSet memoryStatsSet networkStatsSet storageStatsSet "
        "restartStatsSet"
    ),
    telemetry.TaskMetric: (
        "taskArn clusterArn taskDefinitionFamily taskDefinitionVersion containerMetrics"
    ),
    telemetry.MetricsMetadata: "cluster containerInstance messageId idle fin",
    telemetry.HealthMetadata: "cluster containerInstance messageId fin",
    telemetry.InstanceStatusMetadata: "cluster containerInstance requestId",
    telemetry.InstanceStatus: "type status statusReason lastUpdated lastStatusChange",
    telemetry.ContainerHealthStatus: "containerName healthStatus statusSince statusMessage",
    telemetry.TaskHealthStatus: (
        "taskArn clusterArn taskDefinitionFamily taskDefinitionVersion containers"
    ),
    telemetry.StorageStatisticSet: "readSizeBytes writeSizeBytes",
    telemetry.RestartStatisticSet: "restartCount",
    telemetry.NetworkStatisticSet: (
        "rxBytesPerSecond rxBytes rxDropped rxErrors rxPackets txBytesPerSecond txBytes txDropped "
        "txErrors txPackets"
    ),
}


@pytest.mark.parametrize("shape", MODEL, ids=lambda shape: shape.__name__)
def test_members_are_spelt_as_amazon_spells_them(shape):
    found = {field.encode_name for field in msgspec.structs.fields(shape)}
    assert found == set(MODEL[shape].split())


@pytest.mark.parametrize(
    ("shape", "members"),
    [
        (
            task_messages.Container,
            (
                "name image essential cpu memory command entryPoint environment portMappings "
                "mountPoints volumesFrom links dependsOn startTimeout stopTimeout restartPolicy "
                "healthCheckType registryAuthentication overrides containerArn dockerConfig"
            ),
        ),
        (
            task_messages.Task,
            (
                "arn desiredStatus taskClusterArn family version containers volumes cpu memory "
                "networkMode pidMode ipcMode associations roleCredentials executionRoleCredentials "
                "launchType serviceName group moorage"
            ),
        ),
        (messages.HeartbeatMessage, "healthy messageId answered"),
        (task_messages.Association, "name type containers"),
        (task_messages.Volume, "name type host dockerVolumeConfiguration"),
        (task_messages.RegistryAuthentication, "type ecrAuthData"),
    ],
)
def test_the_members_that_we_use_of_larger_shapes(shape, members):
    assert {f.encode_name for f in msgspec.structs.fields(shape)} == set(members.split())


def test_wire_shapes_default_to_none_alone():
    """A member that holds its default is left out, so that any other default would vanish."""
    shapes = [
        value
        for room in (messages, task_messages, telemetry)
        for value in vars(room).values()
        if isinstance(value, type) and issubclass(value, task_messages.Shape)
    ]
    assert len(shapes) > 40
    for shape in shapes:
        for field in msgspec.structs.fields(shape):
            assert field.required or field.default is None, f"{shape.__name__}.{field.name}"
