"""The table of post-mortems; a write wakes whoever forgets those of the same holder."""

from moorage.ecs.records.post_mortem import PostMortem
from moorage.ecs.records.task import Task
from moorage.ground.record import evolve
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

POST_MORTEMS = Table(
    "post_mortems",
    PostMortem,
    keys=("holder", "task"),
    columns=("cluster_arn", "received_at"),
    indices=(("holder", "received_at"), ("cluster_arn", "task")),
)
_OF_CLUSTER = POST_MORTEMS.query("cluster_arn", greater="task")
_OF_TASK = POST_MORTEMS.query("cluster_arn", "task")
_OLDEST = POST_MORTEMS.query("holder", order=("received_at",))
_EVERY = POST_MORTEMS.query()


def holder_of(task: Task) -> str:
    """Under whom the post-mortem of a task is kept: its service, else its cluster."""
    return task.service or task.cluster_arn


def of(tx: Transaction, task: Task) -> PostMortem | None:
    """The post-mortem of a task that is known."""
    return POST_MORTEMS.get(tx, holder_of(task), task.arn)


def named(tx: Transaction, cluster_arn: str, task: str) -> PostMortem | None:
    """The post-mortem of the task of that ARN, whether or not the task is known."""
    return _OF_TASK.first(tx, cluster_arn=cluster_arn, task=task)


def after(tx: Transaction, cluster_arn: str, arn: str, limit: int) -> list[PostMortem]:
    """Those of a cluster whose tasks come after the ARN `arn`, by ARN, at most `limit`."""
    return _OF_CLUSTER.all(tx, limit=limit, cluster_arn=cluster_arn, task=arn)


def put(tx: Transaction, post_mortem: PostMortem) -> None:
    """Keep a post-mortem, in place of an earlier one of the same task."""
    POST_MORTEMS.put(tx, post_mortem)
    tx.wake("post_mortem", post_mortem.holder)


def remember(tx: Transaction, task: Task) -> None:
    """Keep a task that is about to be forgotten with its post-mortem, if it has one."""
    found = of(tx, task)
    if found is not None:
        POST_MORTEMS.put(tx, evolve(found, remembered=task))


def count(tx: Transaction, holder: str) -> int:
    """How many post-mortems a holder has."""
    return _OLDEST.count(tx, holder=holder)


def oldest(tx: Transaction, holder: str) -> PostMortem | None:
    """The one that was received first."""
    return _OLDEST.first(tx, holder=holder)


def delete(tx: Transaction, post_mortem: PostMortem) -> None:
    """Forget one."""
    POST_MORTEMS.delete(tx, post_mortem.holder, post_mortem.task)


def every(tx: Transaction) -> list[str]:
    """All holders; no document is read."""
    return sorted({str(holder) for holder, _ in _EVERY.keys(tx)})
