"""Units of systemd: their text, and what is asked of the machine, in which order."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest
from aiohttp import web
from typer.testing import CliRunner

from moorage.agent import identity
from moorage.cli.install import agent, server, steps
from moorage.cli.install.systemd import HostSystemd, SystemdRefused
from moorage.cli.install.unit import Unit, environment, quoted, text
from tests.agent.test_shell_checkpoint import IDENTITY

AGENT = ["--endpoint", "https://registry.lab:4750", "--token", "hush.", "--name", "h1"]
UNIT = "/etc/systemd/system/moorage-agent.service"


class Machine:
    """Port Systemd in memory: notes what was asked of it."""

    def __init__(self, *, runs: bool = True, refuses: str = "") -> None:
        self._runs = runs
        self._refuses = refuses
        self.files: dict[str, tuple[str, int]] = {}
        self.done: list[str] = []

    def runs(self) -> bool:
        return self._runs

    def write(self, path: Path, content: str, mode: int) -> None:
        self.files[str(path)] = (content, mode)
        self.done.append(f"write {path.name}")

    def remove(self, path: Path) -> bool:
        self.done.append(f"remove {path.name}")
        return self.files.pop(str(path), None) is not None

    def control(self, *words: str) -> None:
        if words[0] == self._refuses:
            raise SystemdRefused(f"systemctl {words[0]}: no")
        self.done.append(" ".join(words))


def joined(folder: Path) -> list[str]:
    folder.mkdir(exist_ok=True)
    identity.keep(folder, IDENTITY)
    return [*AGENT, "--data", str(folder)]


def test_an_agent_that_has_joined_is_made_a_service(tmp_path: Path) -> None:
    machine = Machine()
    agent.run(joined(tmp_path), machine)
    assert machine.done == [
        "write moorage-agent.service",
        "daemon-reload",
        "enable moorage-agent.service",
        "restart moorage-agent.service",
    ]
    content, mode = machine.files[UNIT]
    assert mode == 0o644
    for line in (
        "After=network-online.target docker.service",
        "Restart=always",
        "KillMode=process",
        "OOMScoreAdjust=-999",
        "RestartPreventExitStatus=5",
        "WantedBy=multi-user.target",
    ):
        assert line in content.splitlines()
    assert "hush" not in content
    (command,) = [line for line in content.splitlines() if line.startswith("ExecStart=/")]
    assert command.endswith(
        f"agent --endpoint https://registry.lab:4750 --name h1 --data {tmp_path}"
    )


def test_what_is_settled_by_joining_stands_in_no_unit(tmp_path: Path) -> None:
    given = ["--ca", "ca.pem", "--new-host", "--zone", "z1", "--attribute", "a=b"]
    machine = Machine()
    agent.run([*joined(tmp_path), *given], machine)
    content, _ = machine.files[UNIT]
    assert content.count("--zone z1 --attribute a=b") == 1
    assert "--ca" not in content
    assert "--new-host" not in content


def test_the_token_is_spent_at_once(tmp_path: Path) -> None:
    """What stays on the disk is the host's own key, and no token."""
    spent: list[dict[str, str]] = []

    async def join(request: web.Request) -> web.Response:
        spent.append(await request.json())
        return web.json_response({"accessKeyId": "K", "secretAccessKey": "S", "cluster": "web"})

    async def engine(request: web.Request) -> web.Response:
        return web.json_response([] if request.path.endswith("/json") else {"ApiVersion": "1.41"})

    async def story() -> Machine:
        application = web.Application()
        application.router.add_post("/", join)
        application.router.add_get("/{path:.*}", engine)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await web.UnixSite(runner, str(tmp_path / "docker.sock")).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        words = ["--endpoint", url, "--token", "hush", "--name", "h1", "--new-host"]
        words += ["--data", str(tmp_path / "h1"), "--docker", str(tmp_path / "docker.sock")]
        machine = Machine()
        try:
            await asyncio.to_thread(agent.run, words, machine)
        finally:
            await runner.cleanup()
        return machine

    machine = asyncio.run(story())
    assert spent == [{"token": "hush", "name": "h1"}]
    kept = identity.load(tmp_path / "h1")
    assert kept is not None
    assert (kept.access_key_id, kept.cluster) == ("K", "web")
    everything = [path.read_text() for path in (tmp_path / "h1").iterdir() if path.is_file()]
    assert not any("hush" in one for one in (*everything, machine.files[UNIT][0]))


def refused(capsys: pytest.CaptureFixture[str], work: object) -> str:
    with pytest.raises(Exception) as ended:  # noqa: PT011 - how typer ends a command
        work()  # type: ignore[operator]
    assert getattr(ended.value, "exit_code", 0) == 1
    said = capsys.readouterr()
    return said.out + said.err


def test_without_a_token_nothing_is_installed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine()
    words = ["--endpoint", "https://registry.lab:4750", "--data", str(tmp_path / "new")]
    assert "moorage host token" in refused(capsys, lambda: agent.run(words, machine))
    assert machine.done == []


def test_where_systemd_does_not_run_it_is_said_what_would_be_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(runs=False)
    said = refused(capsys, lambda: agent.run([*AGENT, "--data", str(tmp_path)], machine))
    assert "systemd does not run" in said
    assert "KillMode=process" in said
    assert "enable --now moorage-agent.service" in said
    assert (machine.done, list(tmp_path.iterdir())) == ([], [])
    assert "disable --now" in refused(capsys, lambda: steps.uninstall(machine, "moorage-agent"))


def test_a_refusal_of_systemd_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = Machine(refuses="enable")
    said = refused(capsys, lambda: agent.run(joined(tmp_path), machine))
    assert "systemctl enable: no" in said
    assert "restart moorage-agent.service" not in machine.done


def test_print_shows_the_unit_and_does_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    machine = Machine()
    agent.run(AGENT, machine, only_print=True)
    server.run([], machine, only_print=True)
    shown = capsys.readouterr().out
    assert shown.count("[Unit]") == 2
    assert machine.done == []


def test_a_server_is_made_a_service_and_its_password_stands_apart() -> None:
    machine = Machine()
    url = 'postgresql://moorage:pa"ss@db/moorage'
    server.run(["--listen", "0.0.0.0:4750", "--database", url], machine)
    content, _ = machine.files["/etc/systemd/system/moorage.service"]
    secrets, mode = machine.files["/etc/moorage/moorage.env"]
    assert (secrets, mode) == (
        'MOORAGE_DATABASE="postgresql://moorage:pa\\"ss@db/moorage"\n',
        0o600,
    )
    assert "postgresql://" not in content
    assert "serve --data /var/lib/moorage --listen 0.0.0.0:4750" in content
    assert "ExecReload=/bin/kill -HUP $MAINPID" in content
    assert "EnvironmentFile=/etc/moorage/moorage.env" in content
    machine = Machine()
    server.run(["--data", "/srv/moorage"], machine)
    content, _ = machine.files["/etc/systemd/system/moorage.service"]
    assert "serve --data /srv/moorage\n" in content
    assert "EnvironmentFile" not in content


def test_a_service_is_taken_away_and_what_it_kept_stays(
    capsys: pytest.CaptureFixture[str],
) -> None:
    machine = Machine()
    steps.uninstall(machine, "moorage-agent")
    assert machine.done[-1] == "daemon-reload"
    assert "was not installed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("plain-1.2/x", "plain-1.2/x"),
        ("", '""'),
        ("two words", '"two words"'),
        ("50%", "50%%"),
        ("$HOME", "$$HOME"),
        ('say "hi"', '"say \\"hi\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("a\nExecStartPre=/bin/evil", '"a\\nExecStartPre=/bin/evil"'),
        ("a;b", '"a;b"'),
        ("'", '"\'"'),
    ],
)
def test_a_word_stays_one_word(word: str, written: str) -> None:
    assert quoted(word) == written


def a_unit(**members: object) -> Unit:
    given = {
        "name": "moorage-test",
        "description": "a test",
        "command": ("/bin/true", "two words", "100%", "$x"),
        "after": ("network-online.target",),
        "kill_mode": "process",
        "out_of_memory": -999,
        "stop_seconds": 30,
        "secrets": (("A", "1"),),
        "reload": True,
    }
    return Unit(**given | members)  # type: ignore[arg-type]


def test_systemd_takes_the_text(tmp_path: Path) -> None:
    secrets = tmp_path / "moorage-test.env"
    secrets.write_text(environment(a_unit().secrets))
    path = tmp_path / a_unit().file
    path.write_text(text(a_unit(), secrets))
    assert path.read_text().count("\n[") == 3
    judge = shutil.which("systemd-analyze")
    if judge is not None:
        done = subprocess.run(
            [judge, "verify", "--man=no", str(path)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        complaints = [line for line in done.stderr.splitlines() if "moorage-test" in line]
        assert not complaints


def test_a_file_is_written_whole_and_for_whom_it_is(tmp_path: Path) -> None:
    machine, path = HostSystemd(), tmp_path / "etc" / "x.env"
    machine.write(path, "one", 0o600)
    machine.write(path, "two", 0o600)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("two", 0o600)
    assert [one.name for one in path.parent.iterdir()] == ["x.env"]
    assert machine.remove(path)
    assert not machine.remove(path)
    with pytest.raises(SystemdRefused):
        machine.remove(tmp_path)


def test_the_words_of_the_command_line_lead_there() -> None:
    runner = CliRunner()
    done = runner.invoke(agent.app, ["--print", *AGENT])
    assert done.exit_code == 0
    assert "KillMode=process" in done.output
    done = runner.invoke(agent.app, ["--print", "--endpoint", "https://h", "--nonsense"])
    assert done.exit_code == 2
