"""How one authority follows another: each step leaves something that every client can verify.

steady     `signing` alone
rotating   `signing` signs still, `coming` is told to everybody
leaving    the new one signs; with it goes its certificate by the old one, so that whoever
           missed the telling can still verify, until the old one leaves
"""

from collections.abc import Callable
from typing import Literal

from moorage.ground.instant import Duration, Instant, hours, later
from moorage.ground.record import evolve
from moorage.iam.records.trust import Authority, Source, Trust

Stage = Literal["steady", "rotating", "leaving"]
# How long the old authority is trusted after the new one began to sign.
OVERLAP: Duration = hours(30 * 24)


def stage(trust: Trust) -> Stage:
    """Where a rotation of our own authority stands."""
    if trust.coming is not None:
        return "rotating"
    return "leaving" if trust.leaving else "steady"


def bundle(trust: Trust) -> tuple[str, ...]:
    """The certificates (PEM) that clients are to trust; the first signs the server's."""
    return _BUNDLES[trust.source](trust)


def chain(trust: Trust) -> tuple[str, ...]:
    """What the server shows beside its own certificate."""
    cross = trust.signing.cross_certificate if trust.signing else ""
    return (cross,) if cross and trust.leaving else ()


def begun(trust: Trust, authority: Callable[[], Authority]) -> Trust:
    """Our authority signs; one is made where there was none."""
    return _told(trust, evolve(trust, source="own", signing=trust.signing or authority()))


def taken(trust: Trust, source: Source, given: tuple[str, ...] = ()) -> Trust:
    """Others sign, or nobody; what is ours is kept for another day."""
    return _told(trust, evolve(trust, source=source, given=given))


def rotated(trust: Trust, coming: Callable[[Authority], Authority]) -> Trust | str:
    """The first step: a new authority beside the old one; or why not."""
    if trust.source != "own" or trust.signing is None:
        return NOT_OURS
    if trust.coming is not None:
        return "A rotation is under way already: finish it with `moorage authority finish`."
    if trust.leaving:
        return (
            "The authority before this one has not left yet: let it leave with `moorage authority "
            "finish` first."
        )
    return _told(trust, evolve(trust, coming=coming(trust.signing)))


def finished(trust: Trust, now: Instant) -> Trust | str:
    """The next step: the new authority signs; or, a step later, the old one leaves; or why not."""
    if trust.source != "own" or trust.signing is None:
        return NOT_OURS
    if trust.coming is not None:
        left = evolve(
            trust,
            signing=trust.coming,
            coming=None,
            leaving=trust.signing.certificate,
            leaves_at=later(now, OVERLAP),
        )
        return _told(trust, left)
    if trust.leaving:
        return _told(trust, _alone(trust))
    return "No rotation is under way: begin one with `moorage authority rotate`."


def settled(trust: Trust, now: Instant) -> Trust:
    """What time alone has changed: an authority whose time to leave has come is gone."""
    if trust.leaves_at is None or now < trust.leaves_at:
        return trust
    return _told(trust, _alone(trust))


NOT_OURS = (
    "The server's certificate is not signed by an authority of Moorage's own: there is nothing "
    "here to rotate."
)


def _alone(trust: Trust) -> Trust:
    signing = trust.signing
    assert signing is not None, "who leaves has a successor"
    return evolve(trust, signing=evolve(signing, cross_certificate=""), leaving="", leaves_at=None)


def _told(before: Trust, after: Trust) -> Trust:
    """Number what clients are told anew where it has changed."""
    if (before.source, bundle(before)) == (after.source, bundle(after)):
        return after
    return evolve(after, version=before.version + 1)


def _own(trust: Trust) -> tuple[str, ...]:
    ours = (trust.signing, trust.coming)
    known = tuple(one.certificate for one in ours if one is not None)
    return (*known, trust.leaving) if trust.leaving else known


_BUNDLES: dict[Source, Callable[[Trust], tuple[str, ...]]] = {
    "own": _own,
    "given": lambda trust: trust.given,
    "system": lambda _: (),
    "none": lambda _: (),
}
