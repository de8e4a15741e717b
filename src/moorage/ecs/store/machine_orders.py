"""Orders to the sources of machines: taken, carried out, failed; each in a transaction of its own.

For whoever speaks with the sources. An answer to an order that was withdrawn meanwhile changes
nothing: what is there is asked again.
"""

import re
from collections.abc import Collection

from moorage.ecs.records.machine import Machine
from moorage.ecs.rules.capacity import happenings
from moorage.ecs.store import container_instances, machines, pools, timeline
from moorage.ground.instant import Duration, Instant, later, minutes, seconds
from moorage.ground.record import evolve
from moorage.iam.tokens import Grant, mint
from moorage.sql.transaction import Transaction

RETRY_FIRST = seconds(5)
RETRY_MAX = minutes(10)
DOUBLINGS_MAX = 10
REASON_LENGTH_MAX = 1000
STRAYS_SHOWN_MAX = 20


def token_for(tx: Transaction, machine: Machine, ttl: Duration) -> str | None:
    """A join token that is good once, for that machine's host alone; None where there are too many."""
    return mint(
        tx,
        Grant(
            account=machine.account,
            region=machine.region,
            cluster=machine.cluster,
            expires_at=later(tx.now, ttl),
            name=machine.name,
        ),
    )


def made(tx: Transaction, machine: Machine) -> None:
    """The source has made the machine; its host is to join."""
    now = machines.get(tx, machine)
    if now is not None and now.status == "CREATING":
        machines.move(tx, now, "JOINING", made_at=tx.now, tries=0, reason="")


def failed(tx: Transaction, machine: Machine, reason: str, tries_max: int) -> None:
    """The source could not do it: again a while later, and a machine not for ever.

    One that cannot be made after `tries_max` attempts is unmade, and its pool pauses. One that
    cannot be unmade is tried for good: it would cost its owner money.
    """
    now = machines.get(tx, machine)
    if now is None or now.status != machine.status:
        return
    reason, tries = reason[:REASON_LENGTH_MAX], now.tries + 1
    if now.status == "CREATING" and tries >= tries_max:
        pools.failed(tx, now, reason)
        machines.move(tx, now, "DESTROYING", due_at=tx.now, tries=0, reason=reason)
        return
    if tries == 1:  # what follows until it is given up is more of the same
        timeline.note(tx, [happenings.of_failed_machine(now, reason)])
    machines.write(tx, evolve(now, tries=tries, due_at=_due(tx.now, tries), reason=reason))


def destroyed(tx: Transaction, machine: Machine) -> None:
    """The machine is gone, and with it its host."""
    now = machines.get(tx, machine)
    if now is None or now.status != "DESTROYING":
        return
    for instance in machines.hosts(tx, [now]).values():
        machines.deregister(tx, container_instances.get(tx, instance.arn) or instance, tx.now)
    machines.delete(tx, now)


def missing(
    tx: Transaction, pool: tuple[str, str, str], there: Collection[str], asked_at: Instant
) -> list[str]:
    """Order anew what a source did not have at `asked_at`, by the same names; answers those names.

    A machine that was being drained is done with instead. One whose host is connected is there,
    whatever its source says; one that was made since was not asked for.
    """
    found: list[str] = []
    known = machines.of_pool(tx, *pool)
    hosts = machines.hosts(tx, known)
    for machine in known:
        host = hosts.get(machine.instance)
        if (
            machine.name in there
            or machine.status not in {"JOINING", "JOINED", "RETIRING"}
            or (machine.made_at or machine.created_at) >= asked_at
            or (host is not None and host.connected)
        ):
            continue
        machines.move(
            tx,
            machine,
            "DESTROYING" if machine.status == "RETIRING" else "CREATING",
            due_at=tx.now,
            tries=0,
            reason="The machine is not there any more.",
        )
        found.append(machine.name)
    return found


def strays(tx: Transaction, pool: tuple[str, str, str], there: Collection[str]) -> str:
    """The machines that bear such names as this pool gives and are not in its rows, for people.

    They come about where a backup is restored that is older than they are; nobody unmakes them
    unasked, since the names alone do not prove whose they are.
    """
    known = {machine.name for machine in machines.of_pool(tx, *pool)}
    given = re.compile(rf"{re.escape(pool[2])}-[0-9a-f]+", re.ASCII)
    found = sorted(name for name in there if name not in known and given.fullmatch(name))
    more = f" and {len(found) - STRAYS_SHOWN_MAX} more" if len(found) > STRAYS_SHOWN_MAX else ""
    return ", ".join(found[:STRAYS_SHOWN_MAX]) + more


def _due(now: Instant, tries: int) -> Instant:
    doubled = RETRY_FIRST * 2 ** min(tries - 1, DOUBLINGS_MAX)
    return later(now, Duration(min(RETRY_MAX, doubled)))
