"""A task that a host tells of after a restore: the GPUs that it holds stay its own."""

from moorage.acs.messages import HeldTask
from moorage.acs.task_messages import Association, Container
from moorage.acs.task_messages import Task as SentTask
from moorage.ecs.rules.placement.gpus import free_gpus
from moorage.ecs.rules.task.adoption import Found, adopted
from moorage.ground.record import evolve
from tests.ecs.rules.builders import ARN, CLUSTER, NOW, an_instance


def test_the_gpus_of_an_adopted_task_are_not_given_again():
    host = an_instance()
    host = evolve(host, resources=evolve(host.resources, gpus=3, gpu_ids=("a", "b", "c")))
    sent = SentTask(
        arn=f"{ARN}:task/{CLUSTER}/{'1' * 32}",
        desired_status="RUNNING",
        family="web",
        version="1",
        containers=(Container(name="web"), Container(name="side")),
        associations=(
            Association(name="c", type="gpu", containers=("web",)),
            Association(name="a", type="gpu", containers=("side",)),
            Association(name="of another host", type="gpu", containers=("web",)),
        ),
    )
    task = adopted(HeldTask(task=sent, status="RUNNING"), host, Found(), NOW)
    assert [one.gpu_ids for one in task.containers] == [("c",), ("a",)]
    assert (task.reserved.gpus, task.reserved.gpu_ids) == (2, ("c", "a"))
    assert free_gpus(host, [task]) == ("b",)
