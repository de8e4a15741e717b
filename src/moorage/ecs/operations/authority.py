"""Moorage_V1 DescribeAuthority, RotateAuthority, FinishAuthorityRotation: for the operator.

They stand in this house because a rotation waits for hosts. A private key leaves none of them.
"""

from moorage.acs.messages import CAPABILITY_OF_OUR_AGENT
from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.store import container_instances
from moorage.ground.fault import Validation
from moorage.ground.instant import epoch, maybe_epoch
from moorage.iam import trust as trusting
from moorage.iam.records.trust import Trust
from moorage.iam.rules.certificate import facts
from moorage.iam.rules.trust import bundle, stage
from moorage.iam.store import trusts
from moorage.kernel.call import Call
from moorage.kernel.operation import OPERATOR, operation
from moorage.shapes.moorage.authority import (
    DescribeAuthorityRequest,
    DescribeAuthorityResponse,
    FinishAuthorityRotationRequest,
    FinishAuthorityRotationResponse,
    RotateAuthorityRequest,
    RotateAuthorityResponse,
    TrustedCertificate,
    WaitedForHost,
)
from moorage.sql.transaction import Transaction

HOSTS_NAMED_MAX = 10


@operation(reads=True, callers=OPERATOR)
def describe_authority(call: Call, _request: DescribeAuthorityRequest) -> DescribeAuthorityResponse:
    """Who signs, who will and who did, and which hosts a rotation waits for."""
    return _described(call, trusts.get(call.tx))


@operation(callers=OPERATOR)
def rotate_authority(call: Call, _request: RotateAuthorityRequest) -> RotateAuthorityResponse:
    """Begin a rotation: everybody is told of a new authority, and the old one signs on."""
    trust = _stepped(trusting.rotate(call.tx, call.vault))
    tell_hosts(call.tx)
    return RotateAuthorityResponse(authority=_described(call, trust))


@operation(callers=OPERATOR)
def finish_authority_rotation(
    call: Call, request: FinishAuthorityRotationRequest
) -> FinishAuthorityRotationResponse:
    """The new authority signs; or, where it does already, the old one leaves. Raises Validation."""
    before = trusts.get(call.tx)
    waiting = _waiting(call.tx, before)
    if waiting and not request.force:
        named = ", ".join(one.name or one.id for one in waiting[:HOSTS_NAMED_MAX])
        more = len(waiting) - HOSTS_NAMED_MAX
        raise Validation(
            f"Connected hosts have not confirmed the new certificates yet: {named}"
            f"{f' and {more} more' if more > 0 else ''}. Wait a moment and try again; a host that "
            "cannot confirm would be cut off sooner or later (--force goes on regardless)."
        )
    trust = _stepped(trusting.finish(call.tx))
    tell_hosts(call.tx)
    return FinishAuthorityRotationResponse(authority=_described(call, trust))


def tell_hosts(tx: Transaction) -> None:
    """Have every connected host told whom to trust now."""
    for instance in container_instances.every_live(tx):
        if instance.connected:
            tx.wake("instance", instance.arn)


def _stepped(outcome: Trust | str) -> Trust:
    if isinstance(outcome, str):
        raise Validation(outcome)
    return outcome


def _waiting(tx: Transaction, trust: Trust) -> list[ContainerInstance]:
    """Connected hosts of ours that a step would leave behind; nobody where no step is open."""
    if stage(trust) == "steady":
        return []
    return [
        one
        for one in container_instances.every_live(tx)
        if one.connected
        and one.attribute(CAPABILITY_OF_OUR_AGENT) is not None
        and one.authority_kept != trust.version
    ]


def _described(call: Call, trust: Trust) -> DescribeAuthorityResponse:
    roles = {
        trust.signing.certificate if trust.signing else "": "signing",
        trust.coming.certificate if trust.coming else "": "coming",
        trust.leaving: "leaving",
    }
    return DescribeAuthorityResponse(
        source=trust.source,
        stage=stage(trust),
        certificates=[
            _certificate(roles.get(one, "given") if trust.source == "own" else "given", one)
            for one in bundle(trust)
        ],
        waiting_for=[
            WaitedForHost(container_instance_arn=one.arn, name=one.name)
            for one in _waiting(call.tx, trust)
        ],
        leaves_at=maybe_epoch(trust.leaves_at),
    )


def _certificate(role: str, certificate: str) -> TrustedCertificate:
    found = facts(certificate)
    return TrustedCertificate(
        role=role,
        subject=found.subject,
        hash=found.hash,
        not_before=epoch(found.not_before),
        not_after=epoch(found.not_after),
        certificate=certificate,
    )
