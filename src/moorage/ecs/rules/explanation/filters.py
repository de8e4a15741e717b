"""Why hosts refuse a task: each filter with how many it refused, and the host that came closest.

The filters are those of placement in its own order. A host is refused by the first that it does not
pass, so each one is only asked of the hosts that all before it let through. Hosts that the service
avoids are asked like all others where no other can take the task, as placement does.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import get_args

from moorage.ecs.rules.placement.constraint import Obstacle, Reason, Wants, obstacle
from moorage.ecs.rules.placement.view import ClusterView, HostLoad
from moorage.ground.record import Record, evolve

HOSTS_NAMED_MAX = 5
_MEMBER = "MemberOf placement constraint unsatisfied."
_DISTINCT = "DistinctInstance placement constraint unsatisfied."
_ORDER: tuple[str, ...] = get_args(Reason)
# Those of which the detail says which filter it was; of the others it says what a host lacks.
_REACH = "AGENT"
_BY_DETAIL = frozenset({_REACH, "ATTRIBUTE", _MEMBER})


class Filter(Record):
    """One filter: of `asked` hosts that came to it, `refused` did not pass; `hosts` names a few."""

    name: str
    asked: int
    refused: int
    hosts: tuple[str, ...] = ()


class Funnel(Record):
    """Where one more task could go: of `hosts`, those in `takers` (names) pass every filter.

    `closest` is, where none does, the host that came farthest, and `lacks` what stopped it there.
    The hosts are those of the capacity `providers` (names); empty where a whole cluster is asked.
    """

    hosts: int
    takers: tuple[str, ...]
    filters: tuple[Filter, ...]
    closest: str = ""
    lacks: str = ""
    providers: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The whole in one sentence."""
        among = f" of {self.whose}" if self.providers else ""
        if self.takers:
            return f"{_hosts(len(self.takers))} of {self.hosts}{among} can take another task."
        if not self.hosts:
            return (
                f"There is no host{among} at all." if among else "The cluster has no host at all."
            )
        none = f"None of {_hosts(self.hosts)}{among} can take another task."
        return f"{none} {self.closest} came closest: it {self.lacks}."

    @property
    def whose(self) -> str:
        """The providers in words, "" where a whole cluster is asked."""
        if not self.providers:
            return ""
        several = "" if len(self.providers) == 1 else "s"
        return f"the capacity provider{several} {', '.join(self.providers)}"


def funnel(wants: Wants, view: ClusterView, providers: Sequence[str] = ()) -> Funnel:
    """What each host of a cluster, or of some capacity providers of it, says to one more task."""
    if providers:
        view = view.of_provider(*providers)
    found = {arn: obstacle(wants, load) for arn, load in view.hosts.items()}
    if wants.avoided and all(one is not None for one in found.values()):
        wants = evolve(wants, avoided={})
        found = {arn: obstacle(wants, load) for arn, load in view.hosts.items()}
    refused: dict[tuple[str, str], list[str]] = {key: [] for key in _asked_by(wants)}
    for arn, one in sorted(found.items(), key=lambda item: name_of(view.hosts[item[0]])):
        if one is not None:
            refused.setdefault(_key(one), []).append(name_of(view.hosts[arn]))
    if not refused[_REACH, ""] and any(reason == _REACH and detail for reason, detail in refused):
        del refused[_REACH, ""]  # each of its causes stands there by itself
    filters: list[Filter] = []
    asked = len(view.hosts)
    for key in sorted(refused, key=lambda key: (_stage(key[0]), _position(key, wants))):
        names = refused[key]
        filters.append(
            Filter(
                name=_words(key, wants),
                asked=asked,
                refused=len(names),
                hosts=tuple(names[:HOSTS_NAMED_MAX]),
            )
        )
        asked -= len(names)
    takers = sorted(name_of(view.hosts[arn]) for arn, one in found.items() if one is None)
    closest, lacks = ("", "") if takers else _closest(found, view)
    return Funnel(
        hosts=len(view.hosts),
        takers=tuple(takers),
        filters=tuple(filters),
        closest=closest,
        lacks=lacks,
        providers=tuple(providers),
    )


def lack(one: Obstacle) -> str:
    """What a host does that refuses: `is being drained`, `has too little memory: ...`."""
    say = _LACKS.get(one.reason)
    return say(one.detail) if say else f"refuses: {one.reason} {one.detail}".rstrip()


def name_of(load: HostLoad) -> str:
    """What people call a host."""
    return load.instance.name or load.instance.id


def _asked_by(wants: Wants) -> list[tuple[str, str]]:
    """The filters that such a task meets, also where no host fails any."""
    keys = [("DRAINING", ""), ("AGENT", "")]
    keys += [("AVOIDED", "")] if wants.avoided else []
    keys += [("ATTRIBUTE", one.name) for one in wants.attributes]
    keys += [(_MEMBER, text) for text in wants.members]
    optional: Mapping[str, object] = {
        _DISTINCT: wants.distinct,
        "RESOURCE:GPU": wants.needs.gpus,
        "RESOURCE:CPU": wants.needs.cpu,
        "RESOURCE:MEMORY": wants.needs.memory,
        "RESOURCE:PORTS": wants.needs.ports or wants.needs.ports_udp,
    }
    return [*keys, *((reason, "") for reason, is_wanted in optional.items() if is_wanted)]


def _key(one: Obstacle) -> tuple[str, str]:
    return one.reason, one.detail if one.reason in _BY_DETAIL else ""


def _stage(reason: str) -> int:
    """How far a host has come that is refused for this."""
    return _ORDER.index(reason) if reason in _ORDER else len(_ORDER)


def _position(key: tuple[str, str], wants: Wants) -> tuple[int, str]:
    asked = _asked_by(wants)
    return (asked.index(key) if key in asked else len(asked), key[1])


def _closest(found: Mapping[str, Obstacle | None], view: ClusterView) -> tuple[str, str]:
    """The host that came farthest; among equals the one with most of what it lacks."""
    refused = [(arn, one) for arn, one in found.items() if one is not None]
    if not refused:
        return "", ""

    def rank(item: tuple[str, Obstacle]) -> tuple[int, int, str]:
        load = view.hosts[item[0]]
        left = {"RESOURCE:CPU": load.cpu, "RESOURCE:MEMORY": load.memory, "RESOURCE:GPU": load.gpus}
        return -_stage(item[1].reason), -left.get(item[1].reason, 0), name_of(load)

    arn, one = min(refused, key=rank)
    return name_of(view.hosts[arn]), lack(one)


def _words(key: tuple[str, str], wants: Wants) -> str:
    reason, detail = key
    needs = wants.needs
    ports = [f"{one}/tcp" for one in needs.ports] + [f"{one}/udp" for one in needs.ports_udp]
    words: Mapping[str, str] = {
        "DRAINING": "takes tasks (is not draining)",
        "AGENT": "within reach and sound",
        "AVOIDED": "not avoided by the service, whose tasks failed there",
        "ATTRIBUTE": f"attribute {detail}",
        _MEMBER: f"memberOf {detail}",
        _DISTINCT: f"distinctInstance ({wants.group})",
        "RESOURCE:GPU": f"{needs.gpus} GPUs",
        "RESOURCE:CPU": f"{needs.cpu} CPU units",
        "RESOURCE:MEMORY": f"{needs.memory} MiB of memory",
        "RESOURCE:PORTS": f"ports {', '.join(ports)}",
    }
    if reason == "AGENT" and detail:
        return f"within reach and sound: {detail.removesuffix('.')}"
    return words.get(reason, f"{reason} {detail}".rstrip())


_LACKS: Mapping[str, Callable[[str], str]] = {
    "DRAINING": lambda _: "is being drained",
    "AGENT": lambda detail: f"is not fit to take tasks ({detail.removesuffix('.')})",
    "AVOIDED": lambda detail: f"is avoided where another host can take the task ({detail})",
    "ATTRIBUTE": lambda detail: f"lacks the attribute {detail}",
    _MEMBER: lambda detail: f"does not satisfy the constraint {detail}",
    _DISTINCT: lambda detail: f"already has a task of {detail}, which must not share a host",
    "RESOURCE:GPU": lambda detail: f"has too few GPUs ({detail})",
    "RESOURCE:CPU": lambda detail: f"has too little CPU ({detail})",
    "RESOURCE:MEMORY": lambda detail: f"has too little memory ({detail})",
    "RESOURCE:PORTS": lambda detail: f"has ports taken that the task needs ({detail})",
}


def _hosts(count: int) -> str:
    return "1 host" if count == 1 else f"{count} hosts"


def shown(names: Sequence[str]) -> str:
    """A few names, and how many more there are."""
    few = ", ".join(names[:HOSTS_NAMED_MAX])
    more = len(names) - HOSTS_NAMED_MAX
    return f"{few} and {more} more" if more > 0 else few
