"""`make lab`: three real hosts to play with, and the verbs for what may befall them.

`.venv/bin/python -m tests.lab` alone explains itself. The lab lives until `down`.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from tests.clients.processes import Late, clean_environment
from tests.lab.host import Host
from tests.lab.lab import FOLDERS, PREFIX, ZONES, Lab
from tests.lab.wire import Weather

HOSTS = 3
PYTHON = ".venv/bin/python -m tests.lab"
SOCKET = "--host unix://"
TOLD = """
Three machines run here, each with a network, an engine and an agent of its own:
{hosts}
and a server at {url}. Point your shell at it:

    export MOORAGE_DATA={data}
    eval "$(.venv/bin/moorage env)"
    .venv/bin/moorage status

A service to watch, its image is in the registry already:

    .venv/bin/aws ecs register-task-definition --family web --container-definitions \\
        '[{{"name":"main","image":"{image}","memory":32,"cpu":16,"stopTimeout":2}}]'
    .venv/bin/aws ecs create-service --service-name web --task-definition web --desired-count 6

Then let something happen, and look what becomes of it:

    alias lab='{python}'
    lab cut h1              pull its cable; `cut h1 out` and `cut h1 in` cut one way
    lab heal h1             put it in again; ends `lose` and `slow` too
    lab lose h1 20          lose 20 packets of 100, each way
    lab slow h1 0.3 0.2     delay by 0.3 s, more or less 0.2 s; a third figure: bytes a second
    lab kill h1 agent       SIGKILL: agent, engine, containerd, containerd-shim-runc-v2 ...
    lab stop h1 agent       SIGTERM: agent, engine
    lab start h1 agent      start again: agent, engine
    lab pause h1 engine     SIGSTOP: agent, engine
    lab resume h1 engine    SIGCONT
    lab fill h1 engine      fill a disk: engine, agent
    lab free h1 engine      and free it
    lab off h1              its power fails
    lab on h1               it boots
    lab add                 a further machine joins: h4, h5 ...
    lab server kill         kill, stop, start, pause, resume
    lab count               what really runs, by engine and by /proc
    lab docker h1 ps        docker on one host
    lab down                end the lab (or: make lab-down)
"""


def met() -> Lab:
    """The lab that runs; ends with a sentence where none does."""
    found = [path.parent for path in FOLDERS.glob(f"{PREFIX}*/lab.json") if _kept(path.parent)]
    if not found:
        sys.exit("No lab runs. Start one: make lab")
    return Lab.meet(min(found))


def _kept(folder: Path) -> bool:
    lab = Lab.meet(folder)
    return not lab.owner


def up(words: list[str]) -> None:
    """Begin a lab that stays; `--short` takes the durations of the tests."""
    if any(_kept(path.parent) for path in FOLDERS.glob(f"{PREFIX}*/lab.json")):
        lab = met()
        sys.stdout.write("A lab runs already.\n")
    else:
        sys.stdout.write("Starting a server and three hosts ...\n")
        lab = Lab.begin(HOSTS, owned=False, short="--short" in words)
    hosts = "\n".join(
        f"    {host.name}  {host.address}  engine: docker {SOCKET}{host.engine.socket}"
        for host in lab.hosts
    )
    image = lab.images["shell"]
    facts = {"url": lab.server.url, "data": lab.server.data, "image": image, "python": PYTHON}
    sys.stdout.write(TOLD.format(hosts=hosts, **facts))


def down(_words: list[str]) -> None:
    """End the lab."""
    met().end()
    sys.stdout.write("The lab is gone.\n")


def add(_words: list[str]) -> None:
    """A further machine, with an engine and an agent, joins."""
    lab = met()
    host = lab.new_host()
    host.engine.await_answer()
    host.flags = (*host.flags, "--zone", ZONES[0])
    host.start_agent(lab.server.url, lab.server.token())
    lab.save()
    lab.await_connected(len(lab.hosts))
    sys.stdout.write(f"{host.name} has joined.  engine: docker {SOCKET}{host.engine.socket}\n")


def count(_words: list[str]) -> None:
    """What each engine tells, and what /proc shows."""
    for host in met().hosts:
        if not host.machine.lives():
            sys.stdout.write(f"{host.name}: no power\n")
            continue
        try:
            told: object = len(host.engine.tasks(seconds=2))
        except (OSError, AssertionError):
            told = "no answer"
        agent = "agent runs" if host.agent.lives() else "no agent"
        real = len(host.engine.processes())
        sys.stdout.write(f"{host.name}: engine tells {told}, /proc shows {real}; {agent}\n")


def server(words: list[str]) -> None:
    """Kill, stop, start, pause or resume the server."""
    lab = met()
    verb = words[0] if words else ""
    verbs: dict[str, Callable[[], object]] = {
        "kill": lab.server.kill,
        "stop": lab.server.stop,
        "start": lab.server.start,
        "pause": lab.server.pause,
        "resume": lab.server.resume,
    }
    verbs.get(verb, lambda: sys.exit(f"server: one of {', '.join(verbs)}"))()
    lab.save()


def docker(words: list[str]) -> None:
    """Become docker for one host."""
    host = met().host(words[0])
    os.execvpe("docker", ["docker", "--host", f"unix://{host.engine.socket}", *words[1:]],
               clean_environment())  # fmt: skip


def start(lab: Lab, host: Host, words: list[str]) -> None:
    """Start an agent or an engine."""
    verbs: dict[str, Callable[[], None]] = {
        "agent": lambda: host.start_agent(lab.server.url),
        "engine": host.engine.start,
    }
    verbs[words[0]]()


def on(lab: Lab, host: Host, _words: list[str]) -> None:
    """Power on, engine and agent too, as a machine does that boots."""
    host.power_on()
    host.engine.await_answer()
    host.start_agent(lab.server.url)


OF_A_HOST: dict[str, Callable[[Lab, Host, list[str]], None]] = {
    "cut": lambda _lab, host, words: host.cut(*words),
    "heal": lambda _lab, host, _words: host.heal(),
    "lose": lambda _lab, host, words: host.lose(int(words[0])),
    "slow": lambda lab, host, words: host.slow(lab.server.address, Weather(*map(float, words))),
    "fill": lambda _lab, host, words: host.fill(words[0]),
    "free": lambda _lab, host, words: host.free(words[0]),
    "kill": lambda _lab, host, words: host.kill(words[0]),
    "stop": lambda _lab, host, words: host.stop(words[0]),
    "pause": lambda _lab, host, words: host.pause(words[0]),
    "resume": lambda _lab, host, words: host.resume(words[0]),
    "start": start,
    "off": lambda _lab, host, _words: host.power_off(),
    "on": on,
}
OF_THE_LAB: dict[str, Callable[[list[str]], None]] = {
    "up": up,
    "down": down,
    "add": add,
    "count": count,
    "server": server,
    "docker": docker,
}


def main() -> None:
    """Do what was asked."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab", description="Real hosts to play with.",
        epilog=TOLD.partition("becomes of it:")[2].replace("{python}", PYTHON),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("verb", choices=[*OF_THE_LAB, *OF_A_HOST])
    parser.add_argument("words", nargs=argparse.REMAINDER, help="a host, and what the verb needs")
    given = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("Machines of their own networks need root: sudo make lab")
    try:
        if given.verb in OF_THE_LAB:
            OF_THE_LAB[given.verb](given.words)
            return
        lab = met()
        host = lab.host(given.words[0])
        OF_A_HOST[given.verb](lab, host, given.words[1:])
        lab.save()
    except (IndexError, KeyError, StopIteration, ValueError):
        parser.error(f"{given.verb} {' '.join(given.words)}: not like this")
    except Late as late:
        sys.exit(str(late))


if __name__ == "__main__":
    main()
