"""A lab: a server, some hosts and the cables between them, all on this machine, none of them feigned.

`with Lab(3) as lab:` or `Lab.begin` and `Lab.end`. What was begun stands in `lab.json` in the lab's
folder, process by process, so that another run of Python can go on with it (`Lab.meet`), and so that
`sweep` can clear away what a run that was killed left behind.
"""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from boto3.session import Session
from botocore.config import Config

from tests.clients.place import Place
from tests.clients.processes import until
from tests.lab.host import Host
from tests.lab.image import archive, push
from tests.lab.namespace import Switch, reserved_number, unlay
from tests.lab.process import Process, born
from tests.lab.server import SHORT, Server

FOLDERS = Path("/tmp")
PREFIX = "moorage-lab-"
FIRST_PLACE = 11
CONNECT_SECONDS_MAX = 60.0
IMAGE = "lab"
ZONES = ("zone-a", "zone-b")
Json = dict[str, Any]


class Lab(Place):
    """The lab; all that `Place` can ask of server and services can be asked here too."""

    def __init__(self, folder: Path, number: int, owner: int) -> None:
        self.folder = folder
        self.number = number
        self.owner = owner
        self.switch = Switch("switch", folder / "switch.log", number)
        super().__init__(Server(folder, self.switch.address(1)), None)  # type: ignore[arg-type]
        self.hosts: list[Host] = []
        self.images: dict[str, str] = {}
        self.repositories: dict[str, str] = {}
        self.usual: dict[str, float] = {}

    # -- life ------------------------------------------------------------------------------------

    @classmethod
    def begin(
        cls, hosts: int, *, owned: bool = True, short: bool = True, **settings: float
    ) -> "Lab":
        """Start everything, all at once where it can be; raises Late where something does not come.

        An owned one ends with this process. `short` takes the durations that tests can wait for.
        """
        sweep()
        number = reserved_number()
        folder = FOLDERS / f"{PREFIX}{number}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        lab = cls(folder, number, os.getpid() if owned else 0)
        try:
            lab._begin(hosts, {**(SHORT if short else {}), **settings})
        except BaseException:
            lab.end()
            raise
        return lab

    def _begin(self, hosts: int, settings: dict[str, float]) -> None:
        self.switch.power_on()
        self.save()
        self.usual, self.server.settings = dict(settings), dict(settings)
        self.server.launch()
        for _ in range(hosts):
            self.new_host()
        until(self.server.ready, CONNECT_SECONDS_MAX, "the server is healthy", self.server.tail)
        self.save()
        token = self.server.token(uses=hosts)
        for host in self.hosts:
            host.engine.await_answer()
            # One zone of one host, one of all others: a whole zone may be lost, or less, or more.
            zone = ZONES[host is not self.hosts[0]]
            host.flags = (*host.flags, "--zone", zone)
            host.start_agent(self.server.url, token)
            self.save()
        self.images["shell"] = self.push_image(IMAGE)
        self.await_connected(hosts)
        self.save()

    def new_host(self, **disks: int) -> Host:
        """A further machine with a running engine; it has not joined yet."""
        place = FIRST_PLACE + len(self.hosts)
        host = Host(f"h{len(self.hosts) + 1}", self.folder, self.switch, place)
        self.hosts.append(host)
        host.furnish(**disks)
        host.power_on()
        self.save()
        return host

    def end(self) -> None:
        """End every process by its pid, and leave nothing behind."""
        for client in self._clients.values():
            client.close()
        with ThreadPoolExecutor() as pool:
            list(pool.map(Host.scrap, self.hosts))
        for process in (self.server, self.switch):
            process.kill()
        unlay(self.number)
        for line in Path("/proc/mounts").read_text().splitlines():
            if line.split()[1].startswith(f"{self.folder}/"):
                subprocess.run(["umount", "-l", line.split()[1]], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- a lab across runs of Python -------------------------------------------------------------

    def processes(self) -> dict[str, Process]:
        """All processes by name."""
        found: dict[str, Process] = {"switch": self.switch, "server": self.server}
        for host in self.hosts:
            for what in ("machine", "engine", "agent", "wire"):
                found[f"{host.name} {what}"] = getattr(host, what)
        return found

    def save(self) -> None:
        """Write down what was begun."""
        told = {
            "owner": [self.owner, born(self.owner) if self.owner else ""],
            "number": self.number,
            "hosts": len(self.hosts),
            "flags": [host.flags for host in self.hosts],
            "images": self.images,
            "settings": self.usual,
            "processes": {name: one.mark for name, one in self.processes().items()},
        }
        (self.folder / "lab.json").write_text(json.dumps(told, indent=1))

    @classmethod
    def meet(cls, folder: Path) -> "Lab":
        """The lab that was begun in this folder."""
        told = json.loads((folder / "lab.json").read_text())
        lab = cls(folder, told["number"], told["owner"][0])
        for place in range(told["hosts"]):
            host = Host(f"h{place + 1}", folder, lab.switch, FIRST_PLACE + place)
            host.flags = tuple(told["flags"][place])
            lab.hosts.append(host)
        lab.images, lab.server.settings = told["images"], told["settings"]
        lab.usual = dict(lab.server.settings)
        for name, process in lab.processes().items():
            process.meet(told["processes"][name])
        return lab

    # -- hosts -----------------------------------------------------------------------------------

    def host(self, name: str) -> Host:
        """A host by its name."""
        return next(host for host in self.hosts if host.name == name)

    def instance(self, host: Host) -> Json:
        """The container instance of a host, as it is described; the newest of its name."""
        found = [one for one in self.instances() if one["ec2InstanceId"] == host.name]
        assert found, f"no instance has the name {host.name}"
        return max(found, key=lambda one: one["registeredAt"])

    def host_of(self, task: Json) -> Host:
        """The host that a task is on."""
        arn = task["containerInstanceArn"]
        return next(h for h in self.hosts if self.instance(h)["containerInstanceArn"] == arn)

    def on(self, host: Host, service: str) -> list[Json]:
        """The running tasks of a service on one host."""
        arn = self.instance(host)["containerInstanceArn"]
        return [one for one in self.running(service) if one["containerInstanceArn"] == arn]

    def await_connected(self, count: int, cluster: str = "default") -> None:
        """Wait until so many hosts of a cluster are connected."""

        def enough() -> bool:
            for host in self.hosts:
                assert not host.agent.ended(), f"{host.agent.name} ended:\n{host.agent.tail()}"
            return sum(one["agentConnected"] for one in self.instances(cluster)) >= count

        until(enough, CONNECT_SECONDS_MAX, f"{count} hosts connected", self.tails)

    def await_connection(self, host: Host, *, there: bool, seconds: float) -> None:
        """Wait until the server says that a host is connected, or not."""
        until(
            lambda: self.instance(host)["agentConnected"] is there,
            seconds,
            f"{host.name} is {'' if there else 'not '}connected",
            lambda: self.instance(host),
        )

    def restore(self) -> None:
        """Whatever befell the lab is over: all connected and whole, the settings as they were."""
        self.server.resume()
        if self.server.settings != self.usual:
            self.server.stop()
        if not self.server.lives():
            self.server.settings = dict(self.usual)
            self.server.start()
        for host in self.hosts:
            host.free("engine")
            host.free("agent")
            if not host.machine.lives():
                host.power_on()
            host.heal()
            if not host.engine.lives():
                host.engine.launch()
            host.engine.resume()
            host.agent.resume()
        for host in self.hosts:
            host.engine.await_answer()
            if not host.agent.lives():
                host.start_agent(self.server.url)
        self.save()
        self.await_connected(len(self.hosts))

    def remove(self, host: Host) -> None:
        """Scrap a machine, and forget it."""
        self.hosts.remove(host)
        host.scrap()
        self.save()

    def rejoin(self, host: Host) -> None:
        """A host whose instance is no more forgets what it was, and joins again."""
        if host.agent.lives():
            host.agent.stop()
        for path in host.agent_folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        host.start_agent(self.server.url, self.server.token())
        self.save()
        self.await_connected(len(self.hosts))

    def calm(self) -> None:
        """From now on every host counts as undisturbed."""
        for host in self.hosts:
            host.disturbed = False

    def tails(self) -> str:
        """The ends of all logs."""
        parts = [f"--- server\n{self.server.tail()}", *(host.tails() for host in self.hosts)]
        return "\n".join(parts)

    # -- clients ---------------------------------------------------------------------------------

    def client(self, service: str, key: Json | None = None, **config: object) -> Any:
        """A boto3 client, signing as the first account's root unless a key is given."""
        key = key or self.server.key()
        return Session().client(
            service,
            endpoint_url=self.server.url,
            verify=str(self.server.authority),
            region_name=key.get("region", "us-east-1"),
            aws_access_key_id=key["access_key_id"],
            aws_secret_access_key=key["secret_access_key"],
            config=Config(
                retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30, **config
            ),
        )

    def push_image(self, name: str, weight_mib: int = 0, tag: str = "1") -> str:
        """Push an image of busybox, with so much ballast, to a repository; its URI."""
        path = self.folder / f"{name}-{tag}.tar"
        archive(path, weight_mib)
        if name not in self.repositories:
            self.repositories[name] = self.repository(name)
        uri = f"{self.repositories[name]}:{tag}"
        push(path, uri, self.password(), self.certificates())
        return uri

    def certificates(self) -> Path:
        """A folder of certificates as Docker and skopeo want it."""
        folder = self.folder / "certificates"
        folder.mkdir(exist_ok=True)
        (folder / "ca.crt").write_bytes(self.server.authority.read_bytes())
        return folder

    # -- what really runs ------------------------------------------------------------------------

    def containers(self) -> dict[str, str]:
        """Every container that runs for a task, on all engines: its id, and when it was started."""
        return {
            one: host.engine.told(f"/containers/{one}/json")["State"]["StartedAt"]
            for host in self.hosts
            for one in host.engine.tasks()
        }

    def container(self, task: Json | str, name: str = "main") -> Json:
        """What its engine says of a task's container; each task here has one."""
        assert name == "main"
        task = self.describe(task)[0] if isinstance(task, str) else task
        return self.host_of(task).engine.container(task["taskArn"])


@contextlib.contextmanager
def lab(hosts: int, *, short: bool = True, **settings: float) -> Iterator[Lab]:
    """A lab for the length of a block."""
    made = Lab.begin(hosts, short=short, **settings)
    try:
        yield made
    finally:
        made.end()


def sweep() -> None:
    """End labs whose owner is gone; one that nobody owns is somebody's to play with."""
    for path in FOLDERS.glob(f"{PREFIX}*/lab.json"):
        owner, began = json.loads(path.read_text())["owner"]
        if owner and born(owner) != began:
            Lab.meet(path.parent).end()
