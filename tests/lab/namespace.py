"""Machines of a lab: processes that hold namespaces, and the cables between them.

A `Machine` is a process of its own pid, mount and network namespace; whatever runs inside ends when
it does, as with a machine's power. Its /run is empty and its /etc is written to apart, so an engine
inside is a stock engine on /run/docker.sock; names that it asks for are refused at once. A `Switch` holds a bridge in a namespace of its own: in
the one of this machine br_netfilter would drop its packets. No namespace has a name, so nothing is
left of them once the processes are gone.
"""

import subprocess
from pathlib import Path

from tests.clients.processes import run, until
from tests.lab.process import Process

READY_SECONDS_MAX = 10.0
NUMBERS_MAX = 64
CABLE = "moolab"
SET_UP = """
mount -t tmpfs tmpfs /run
mkdir /run/lock /run/etc /run/etc-work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/etc-work /etc
rm -f /etc/resolv.conf
echo nameserver 127.0.0.1 > /etc/resolv.conf
ip link set lo up
touch /run/ready
while :; do sleep 3600 & wait $!; done
"""


def ip(batch: str, enter: tuple[str, ...] = ()) -> None:
    """Run lines of the command `ip`."""
    run([*enter, "ip", "-batch", "-"], input=batch)


class Machine(Process):
    """A machine with its own network, mounts and pids."""

    def power_on(self) -> None:
        """Begin it; raises Late where its set-up fails."""
        unshare = ("unshare", "-n", "-m", "-p", "--fork", "--mount-proc", "--kill-child")
        self.begin(["sh", "-ec", SET_UP], unshare)
        until(Path(f"/proc/{self.pid}/root/run/ready").exists, READY_SECONDS_MAX,
              f"{self.name} is set up", self.tail)  # fmt: skip

    @property
    def enter(self) -> tuple[str, ...]:
        """The words that run a command inside."""
        return ("nsenter", "-t", str(self.pid), "-n", "-m", "-p")

    @property
    def root(self) -> Path:
        """Its files as they are seen from outside."""
        return Path(f"/proc/{self.pid}/root")


class Switch(Process):
    """A bridge in a network namespace of its own, and a cable to this machine's."""

    def __init__(self, name: str, log: Path, number: int) -> None:
        super().__init__(name, log)
        self.number = number

    def power_on(self) -> None:
        """Make the bridge, and this machine's cable to it with the address `address(1)`."""
        self.begin(["unshare", "-n", "sh", "-c", "exec sleep infinity"])
        here = Path("/proc/self/ns/net").readlink()
        there = Path(f"/proc/{self.pid}/ns/net")
        until(lambda: there.readlink() != here, READY_SECONDS_MAX, "the switch has its namespace")
        mac = f"02:42:0a:d6:{self.number:02x}:fe"
        ip(f"link set lo up\nlink add br0 address {mac} type bridge\nlink set br0 up\n", self.enter)
        cable = f"{CABLE}{self.number}"
        ip(f"link set {cable}p netns {self.pid} name root\n"
           f"address add {self.address(1)}/24 dev {cable}\nlink set {cable} up\n")  # fmt: skip
        ip("link set root master br0\nlink set root up\n", self.enter)

    @property
    def enter(self) -> tuple[str, ...]:
        """The words that run a command in its namespace."""
        return ("nsenter", "-t", str(self.pid), "-n")

    def address(self, place: int) -> str:
        """The address with this number in the lab's network."""
        return f"10.214.{self.number}.{place}"

    def connect(self, machine: Machine, port: str, place: int) -> None:
        """Lay a cable from `port` of the bridge to eth0 of a machine."""
        ip(f"link add {port} type veth peer name eth0 netns {machine.pid}\n"
           f"link set {port} master br0\nlink set {port} up\n", self.enter)  # fmt: skip
        ip(f"address add {self.address(place)}/24 dev eth0\nlink set eth0 up\n"
           f"route add default via {self.address(1)}\n", machine.enter)  # fmt: skip

    def plug(self, port: str, *, up: bool) -> None:
        """Pull a machine's cable, or put it in again."""
        ip(f"link set {port} {'up' if up else 'down'}\n", self.enter)

    def drop(self, port: str, hundredths: int = 100) -> None:
        """Lose so many of a hundred packets that come from a machine."""
        drop_arriving(self.enter, port, hundredths)


def drop_arriving(enter: tuple[str, ...], device: str, hundredths: int = 100) -> None:
    """Lose packets where they arrive: the sender is told nothing. 0 loses none any more."""
    table = f"table netdev lab-{device}"
    rule = "drop" if hundredths >= 100 else f"numgen random mod 100 < {hundredths} drop"
    hook = f"type filter hook ingress device {device} priority 0;"
    script = f"{table} {{ }}\ndelete {table}\n"
    if hundredths > 0:
        script += f"{table} {{\nchain arriving {{\n{hook}\n{rule}\n}}\n}}\n"
    run([*enter, "nft", "-f", "-"], input=script)


def reserved_number() -> int:
    """A number for a lab's network: making this machine's cable is what reserves it."""
    for number in range(NUMBERS_MAX):
        cable = f"{CABLE}{number}"
        words = ["ip", "link", "add", cable, "type", "veth", "peer", "name", f"{cable}p"]
        if subprocess.run(words, capture_output=True, check=False).returncode == 0:
            return number
    raise RuntimeError("no number is free for a lab's network; are we root?")


def unlay(number: int) -> None:
    """Take away this machine's cable to a lab; nothing happens where it is gone."""
    words = ["ip", "link", "delete", f"{CABLE}{number}"]
    subprocess.run(words, capture_output=True, check=False)
