"""The labels by which containers and volumes are known again: Amazon's own, then ours."""

LABEL_CLUSTER = "com.amazonaws.ecs.cluster"
LABEL_CONTAINER = "com.amazonaws.ecs.container-name"
LABEL_TASK_ARN = "com.amazonaws.ecs.task-arn"
LABEL_FAMILY = "com.amazonaws.ecs.task-definition-family"
LABEL_VERSION = "com.amazonaws.ecs.task-definition-version"
# Which agent of a shared engine a container belongs to: all looks and events filter by it.
LABEL_HOST = "moorage.host"
LABEL_INSTANCE = "moorage.instance"
# Which making of this container it is: a clash of ports makes it anew under the same name.
LABEL_ATTEMPT = "moorage.attempt"
# JSON of what the engine needs of the task if its checkpoint is lost (no environment in it).
LABEL_TASK = "moorage.task"
