"""What must hold of every placement; each law asserts one sentence."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from moorage.ecs.records.task import Task
from moorage.ecs.rules.placement.explain import failures, tally
from moorage.ecs.rules.placement.gpus import free_gpus, gpu_wish, with_gpus
from moorage.ecs.rules.placement.orders import Orders
from moorage.ecs.rules.placement.place import Batch, Placements, place, place_around, place_on
from moorage.ecs.rules.placement.reservation import reserve
from moorage.ecs.rules.placement.view import ClusterView, cluster_view
from moorage.ground.record import evolve
from tests.ecs.properties import clusters, expressions, place_oracle
from tests.ecs.properties.clusters import Ask, PlaceCase
from tests.ecs.properties.drawing import Draw
from tests.ecs.properties.place_oracle import Held, Site
from tests.ecs.properties.requests import definition, wants
from tests.ecs.rules.builders import a_container, a_task

NUMBER_LIMIT = 2**32
# What is judged: `place`, or one with a planted bug.
Rule = Callable[[Batch, ClusterView], Placements]


def holds(case: PlaceCase, seen: Counter[str], rule: Rule = place) -> None:
    """All laws, of each request of the case in turn; what one places is there for the next."""
    cluster = Cluster(case)
    for number, ask in enumerate(case.asks):
        question = Question(cluster, ask, seen, rule)
        placed = question.judged()
        started = cluster.start(number, question, placed.chosen)
        seen["tasks placed"] += len(started)
        seen["tasks refused"] += placed.unplaced.count
        cluster.each_gpu_once()
        cluster.end(ask.ends)


class Cluster:
    """The hosts and tasks of a case as they are now, and what is kept from request to request."""

    def __init__(self, case: PlaceCase) -> None:
        self.hosts = clusters.instances(case)
        self.tasks = clusters.tasks(case, self.hosts)
        self.daemons = case.daemons
        self.claims = [wants(one) for one in case.daemons]
        self.orders = Orders()
        self.kept = ClusterView(cluster_view(self.hosts, self.tasks).hosts, orders=self.orders)

    def view(self) -> ClusterView:
        """The cluster from its rows, as others than daemons see it."""
        return reserve(cluster_view(self.hosts, self.tasks), self.claims)

    def kept_view(self) -> ClusterView:
        """The same, of what was kept up with every change."""
        kept = ClusterView(self.kept.hosts, self.kept.kept, self.orders)
        return reserve(kept, self.claims)

    def sites(self) -> dict[str, Site]:
        """The same, as the oracle sees it."""
        found = place_oracle.sites(self.hosts, self.tasks)
        place_oracle.keep(found, self.daemons)
        return found

    def start(self, number: int, question: "Question", chosen: Sequence[str]) -> list[Task]:
        """Write the tasks, each with the GPUs that its host gives it."""
        started = []
        by_arn = {one.arn: one for one in self.hosts}
        for index, arn in enumerate(chosen):
            mine = [task for task in self.tasks if task.instance == arn]
            task = question.task(f"n{number}-{index}", by_arn[arn].name)
            free = free_gpus(by_arn[arn], mine)
            task = with_gpus(task, free) if task.reserved.gpus else task
            self.tasks.append(task)
            started.append(task)
            self.orders.changed(arn)
        # What is promised within a batch is what its tasks turn out to take.
        made = self.kept.with_promises(question.wants.needs, question.wants.group, chosen)
        fresh = cluster_view(self.hosts, self.tasks)
        assert made.hosts == fresh.hosts, "the promises of a batch are what its tasks take"
        self.kept = ClusterView(made.hosts, self.kept.kept, self.orders)
        return started

    def end(self, count: int) -> None:
        """Some of the oldest tasks stop; what they took is there again."""
        for task in [one for one in self.tasks if not one.is_stopped][:count]:
            gone = self.kept.without_task(task)
            self.kept = ClusterView(gone.hosts, self.kept.kept, self.orders)
            self.orders.changed(task.instance)
            self.tasks = [
                evolve(one, last_status="STOPPED") if one.arn == task.arn else one
                for one in self.tasks
            ]
        if count:
            fresh = cluster_view(self.hosts, self.tasks)
            assert self.kept.hosts == fresh.hosts, "a task that stops gives back what it took"

    def each_gpu_once(self) -> None:
        """Each GPU is given to one container of one task, and none that its host has not."""
        for host in self.hosts:
            given = [
                gpu
                for task in self.tasks
                if task.instance == host.arn and not task.is_stopped
                for gpu in task.reserved.gpu_ids
            ]
            assert len(given) == len(set(given)), "a GPU is given twice"
            assert set(given) <= set(host.resources.gpu_ids), "a GPU that is not there"


class Question:
    """One request, asked in several ways."""

    def __init__(self, cluster: Cluster, ask: Ask, seen: Counter[str], rule: Rule) -> None:
        self.cluster = cluster
        self.place = rule
        self.ask = ask
        self.seen = seen
        names = [one.arn for one in cluster.hosts]
        self.avoided = frozenset(names[one % len(names)] for one in ask.avoided if names)
        self.wants = evolve(wants(ask), avoided=dict.fromkeys(self.avoided, "it fails there"))
        self.takes = place_oracle.takes_of(ask)
        chance = Draw(ask.numbers)
        self.numbers = tuple(chance.below(NUMBER_LIMIT) for _ in range(ask.count))
        self.by_chance = any(kind == "random" for kind, _ in ask.strategies)
        self.follows_tasks = any(map(expressions.asks_of_tasks, ask.members))
        self.own = self._own()
        self.batch = Batch(
            wants=self.wants,
            count=ask.count,
            strategies=clusters.strategies(ask),
            numbers=self.numbers,
            counted=self.own if ask.counted else None,
        )

    def _own(self) -> dict[str, int]:
        """The tasks that spreads balance: those of the group, or some that a caller counted."""
        found: Counter[str] = Counter()
        staying = {
            one.arn for one in self.cluster.hosts if one.status == "ACTIVE" and one.lost_at is None
        }
        for at, task in enumerate(self.cluster.tasks):
            counts = at % 2 == 0 or not self.ask.counted
            if task.group == self.ask.group and not task.is_stopped and counts:
                found[task.instance] += task.instance in staying
        return +found

    def task(self, name: str, host: str) -> Task:
        """One task of the request, placed."""
        return a_task(
            name,
            host=host,
            group=self.ask.group,
            reserved=self.wants.needs,
            containers=tuple(
                a_container(f"c{at}", gpu_wish=gpu_wish(one))
                for at, one in enumerate(definition(self.ask).container_definitions or ())
            ),
        )

    def judged(self) -> Placements:
        """The placements, once all laws have been looked at."""
        view = self.cluster.view()
        plain = self.place(self.batch, view)
        self.same_again(plain, view)
        self.one_by_one(plain, view)
        sites = self.cluster.sites()
        after = self.each_where_it_may(plain, sites)
        self.a_refusal_is_true(plain, after, self.avoided)
        self.told_once(plain, after)
        self.even(plain, after)
        self.where_it_was_asked(view)
        if not self.avoided:
            return plain
        around = place_around(self.batch, view)
        self.avoided_last(plain, around)
        return around

    def same_again(self, placed: Placements, view: ClusterView) -> None:
        """The same question has the same answer, whatever was kept, and in any order of hosts."""
        assert self.place(self.batch, view) == placed, "the same input, another output"
        kept = self.place(self.batch, self.cluster.kept_view())
        assert kept == placed, "what is kept from request to request changes the answer"
        turned = ClusterView(dict(reversed(view.hosts.items())))
        assert self.place(self.batch, turned) == placed, "the order of the hosts changes the answer"

    def one_by_one(self, placed: Placements, view: ClusterView) -> None:
        """N at once are n one after another; where chance draws, as many of them."""
        chosen: list[str] = []
        counted = Counter(self.own)
        for number in self.numbers:
            one = evolve(
                self.batch,
                count=1,
                numbers=(number,),
                counted=counted if self.ask.counted else None,
            )
            (*found,) = self.place(one, view).chosen
            if not found:
                break
            chosen += found
            counted.update(found)
            view = view.with_promises(self.wants.needs, self.wants.group, found)
        if not self.by_chance:
            assert tuple(chosen) == placed.chosen, "n at once, and n one after another, differ"
        elif not self.follows_tasks:
            assert len(chosen) == len(placed.chosen), "one after another, another number fits"

    def each_where_it_may(self, placed: Placements, sites: dict[str, Site]) -> dict[str, Site]:
        """Each task goes where it fits, and where the strategies say; answers the hosts then."""
        own = Counter(self.own)
        for arn in placed.chosen:
            site = sites[arn]
            wrong = self.refused(site)
            assert not wrong, f"{site.host.name} was chosen and cannot take it: {wrong}"
            fitting = [one for one in sites.values() if not self.refused(one)]
            self.seen["hosts looked at"] += len(sites)
            best = place_oracle.preferred(self.ask, fitting, sites.values(), own)
            assert arn in best, f"{site.host.name} was chosen, {best} is better"
            site.held.append(Held(takes=self.takes, group=self.ask.group))
            own[arn] += 1
        total = len(placed.chosen) + placed.unplaced.count
        assert total == self.ask.count, "a task is neither placed nor refused"
        return sites

    def refused(self, site: Site, *, whatever: bool = False) -> list[str]:
        """Why the oracle refuses a host."""
        avoided = frozenset() if whatever else self.avoided
        return place_oracle.refusals(self.ask, self.takes, site, avoided)

    def a_refusal_is_true(
        self, placed: Placements, after: Mapping[str, Site], avoided: frozenset[str]
    ) -> None:
        """Where a task was refused, no host could have taken it; each is named with its reason."""
        if not placed.unplaced.count:
            assert not placed.unplaced.hindrances
            return
        self.seen["refusals"] += 1
        told = {one.instance: one.obstacle.reason for one in placed.unplaced.hindrances}
        assert len(told) == len(placed.unplaced.hindrances) == len(after), "each host once"
        for arn, site in after.items():
            found = place_oracle.refusals(self.ask, self.takes, site, avoided)
            assert found, f"{site.host.name} could have taken it"
            assert told[arn] == found[0], f"{site.host.name} is refused for {found}"

    def told_once(self, placed: Placements, after: Mapping[str, Site]) -> None:
        """What a caller is told names each host once; drained ones only where there is no other."""
        told = failures(placed.unplaced)
        if not placed.unplaced.count:
            assert not told
            return
        drained = {arn for arn, site in after.items() if site.host.status == "DRAINING"}
        expected = set(after) - drained or set(after)
        arns = [one.arn for one in told]
        assert len(arns) == len(set(arns)), "a host is told twice"
        assert set(arns) == expected, "all candidates are told"
        assert sum(tally(placed.unplaced).values()) == len(expected), "the reasons add up"

    def even(self, placed: Placements, after: Mapping[str, Site]) -> None:
        """Where the first strategy spreads, no group with room is two tasks behind one that grew."""
        kind, field = (self.ask.strategies or place_oracle.DEFAULT)[0]
        if kind != "spread" or self.follows_tasks:
            return
        names = [field.removeprefix("attribute:")] if field.startswith("attribute:") else None
        own = Counter(self.own)
        own.update(placed.chosen)
        groups: Counter[tuple[str, ...]] = Counter()
        for site in after.values():
            if site.host.status == "ACTIVE" and site.host.lost_at is None:
                groups[_group(site, names)] += own[site.arn]
        grown = {_group(after[arn], names) for arn in placed.chosen}
        open_ones = {_group(one, names) for one in after.values() if not self.refused(one)}
        for larger in grown:
            for other in open_ones:
                apart = groups[larger] - groups[other]
                assert apart <= 1, f"{larger} has {apart} tasks more than {other}, which has room"

    def where_it_was_asked(self, view: ClusterView) -> None:
        """StartTask: each named host takes one if it can, and is refused for its first reason."""
        named = [one.arn for one in self.cluster.hosts[::2]] * 2
        sites = self.cluster.sites()
        placed = place_on(self.wants, tuple(named), view)
        chosen, refused = [], []
        for arn in named:
            if arn not in sites:
                continue
            wrong = self.refused(sites[arn])
            if wrong:
                refused.append((arn, wrong[0]))
            else:
                chosen.append(arn)
                sites[arn].held.append(Held(takes=self.takes, group=self.ask.group))
        assert list(placed.chosen) == chosen, "StartTask starts where it may"
        told = [(one.instance, one.obstacle.reason) for one in placed.unplaced.hindrances]
        assert told == refused, "StartTask tells why not"

    def avoided_last(self, plain: Placements, around: Placements) -> None:
        """Avoided hosts take what no other host can, and are no reason to refuse."""
        first = len(plain.chosen)
        assert around.chosen[:first] == plain.chosen
        assert not set(plain.chosen) & self.avoided, "an avoided host before another"
        if not self.follows_tasks:
            assert set(around.chosen[first:]) <= self.avoided
        sites = self.cluster.sites()
        for arn in around.chosen:
            assert not self.refused(sites[arn], whatever=True), "it cannot take it"
            sites[arn].held.append(Held(takes=self.takes, group=self.ask.group))
        self.a_refusal_is_true(around, sites, frozenset())


def _group(site: Site, names: Sequence[str] | None) -> tuple[str, ...]:
    return (site.arn,) if names is None else place_oracle.values_of(site, names)
