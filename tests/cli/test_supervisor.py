"""The supervisor: a child that ends is started again, one that must not be is left, output is bounded."""

import asyncio
import subprocess
import sys
from functools import partial
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import unused_port

from moorage.agent.options import TOKEN_VARIABLE
from moorage.cli.place import ADDRESS_FILE
from moorage.cli.plan import PID_FILE, PROGRESS_FILE, HostPlan, Plan
from moorage.cli.supervisor import OUTPUT_BYTES_MAX, TERMINAL_EXIT, Supervisor
from moorage.gateway.tls import server_context
from moorage.ground.fault import Unavailable
from moorage.ground.record import evolve
from tests.certificates import Office

SECONDS_MAX = 20


def a_supervisor(tmp_path):
    for name in ("log", "run"):
        (tmp_path / name).mkdir()
    plan = Plan(data=str(tmp_path), port=1, docker_socket="", hosts=(), settle_seconds=1)
    return Supervisor(plan)


def child(code):
    return [sys.executable, "-c", code]


async def until(holds):
    async with asyncio.timeout(SECONDS_MAX):
        while not holds():  # noqa: ASYNC110 - another process does what is waited for
            await asyncio.sleep(0.02)


def test_a_child_that_ends_is_started_again(tmp_path):
    starts = tmp_path / "starts"
    code = f"open({str(starts)!r}, 'a').write('x'); raise SystemExit(1)"

    async def story():
        supervisor = a_supervisor(tmp_path)
        task = asyncio.create_task(supervisor._keep("one", child(code)))
        await until(lambda: starts.exists() and len(starts.read_text()) >= 2)
        supervisor._stopping.set()
        await task

    asyncio.run(story())
    assert "one ended with 1" in (tmp_path / PROGRESS_FILE).read_text()


def test_a_join_token_is_in_no_process_list(tmp_path):
    # Whoever reads it there before the agent has spent it may join in its place.
    host = HostPlan(name="host-1", cpu=1, memory=1, publish_address="127.0.0.1")
    told = tmp_path / "told"
    code = f"import os; open({str(told)!r}, 'w').write(os.environ[{TOKEN_VARIABLE!r}])"

    async def story():
        supervisor = a_supervisor(tmp_path)
        supervisor._token = lambda: "canary"
        joining = await supervisor._joining(host)
        assert "canary" not in " ".join(supervisor._agent(host))
        assert joining == {TOKEN_VARIABLE: "canary"}
        join = partial(supervisor._joining, host)
        task = asyncio.create_task(supervisor._keep("one", child(code), join))
        await until(lambda: told.exists() and told.read_text() == "canary")
        supervisor._stopping.set()
        await task
        folder = tmp_path / "agents" / host.name
        folder.mkdir(parents=True)
        (folder / "identity.json").write_text("{}")
        assert await supervisor._joining(host) == {}

    asyncio.run(story())


def test_a_host_that_spent_its_token_in_vain_gets_another(tmp_path):
    """An agent killed between joining and writing down who it is once tried one token for ever."""
    host = HostPlan(name="host-1", cpu=1, memory=1, publish_address="127.0.0.1")
    told = tmp_path / "told"
    code = f"import os; open({str(told)!r}, 'a').write(os.environ[{TOKEN_VARIABLE!r}]); exit(2)"
    answers = iter(["first", Unavailable("The server is not here."), "second", "third"])

    def token():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def story():
        supervisor = a_supervisor(tmp_path)
        supervisor._token = token
        join = partial(supervisor._joining, host)
        task = asyncio.create_task(supervisor._keep("one", child(code), join))
        await until(lambda: told.exists() and told.read_text().startswith("firstsecond"))
        supervisor._stopping.set()
        await task

    asyncio.run(story())
    assert "one ended with The server is not here." in (tmp_path / PROGRESS_FILE).read_text()


def test_a_child_that_cannot_be_started_is_tried_again(tmp_path):
    async def story():
        supervisor = a_supervisor(tmp_path)
        (tmp_path / "log").rename(tmp_path / "away")
        task = asyncio.create_task(supervisor._keep("one", child("import time; time.sleep(60)")))
        await until((tmp_path / PROGRESS_FILE).exists)
        (tmp_path / "away").rename(tmp_path / "log")
        await until((tmp_path / "log" / "one.out").exists)
        supervisor._stopping.set()
        await task

    asyncio.run(story())


def test_progress_that_cannot_be_written_ends_nothing(tmp_path):
    supervisor = a_supervisor(tmp_path)
    (tmp_path / PROGRESS_FILE).mkdir()
    supervisor._say("nobody hears")


def test_a_server_that_does_not_become_healthy_is_given_up(tmp_path):
    """`moorage up` once failed and left behind what it had started."""

    class Hasty(Supervisor):
        health_seconds_max = 1.0

        def _server(self):
            return child("import time; time.sleep(60)")

    async def story():
        plan = a_supervisor(tmp_path)._plan
        async with asyncio.timeout(SECONDS_MAX):
            return await Hasty(plan).run()

    assert asyncio.run(story()) == 1
    assert "failed:" in (tmp_path / PROGRESS_FILE).read_text()
    assert not (tmp_path / PID_FILE).exists()


def test_a_child_that_says_it_is_of_no_use_is_left(tmp_path):
    async def story():
        supervisor = a_supervisor(tmp_path)
        async with asyncio.timeout(SECONDS_MAX):
            await supervisor._keep("one", child(f"raise SystemExit({TERMINAL_EXIT})"))

    asyncio.run(story())
    assert not (tmp_path / PROGRESS_FILE).exists()


def test_a_child_that_runs_is_ended_with_the_supervisor(tmp_path):
    ready = tmp_path / "ready"
    code = f"open({str(ready)!r}, 'w').close(); __import__('time').sleep(60)"

    async def story():
        supervisor = a_supervisor(tmp_path)
        task = asyncio.create_task(supervisor._keep("one", child(code)))
        await until(ready.exists)
        supervisor._stopping.set()
        async with asyncio.timeout(SECONDS_MAX):
            await task

    asyncio.run(story())


def test_what_children_print_is_bounded(tmp_path):
    async def story():
        supervisor = a_supervisor(tmp_path)
        (tmp_path / "log" / "host-1.out").write_bytes(b"x" * (OUTPUT_BYTES_MAX + 1))
        (tmp_path / "log" / "host-2.out").write_bytes(b"x")
        task = asyncio.create_task(supervisor._trim())
        await until(lambda: not (tmp_path / "log" / "host-1.out").stat().st_size)
        supervisor._stopping.set()
        await task

    asyncio.run(story())
    assert (tmp_path / "log" / "host-1.out.1").stat().st_size == OUTPUT_BYTES_MAX + 1
    assert (tmp_path / "log" / "host-2.out").stat().st_size == 1


def test_children_end_with_a_supervisor_that_is_killed(tmp_path):
    """They would go on without anybody who knows of them, and hold the port."""
    ready = tmp_path / "ready"
    sleeper = f"import os, time; open({str(ready)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    code = (
        "import subprocess, sys\n"
        "from moorage.cli.processes import end_with_parent\n"
        f"subprocess.run([sys.executable, '-c', {sleeper!r}], preexec_fn=end_with_parent)"
    )
    parent = subprocess.Popen(child(code))

    async def story():
        await until(lambda: ready.exists() and ready.read_text())
        parent.kill()
        parent.wait()
        gone = Path("/proc") / ready.read_text() / "cmdline"
        await until(lambda: not gone.exists() or not gone.read_bytes())

    asyncio.run(story())


def test_a_server_for_others_is_asked_over_tls_and_so_are_its_agents(tmp_path):
    """`moorage up --listen`: whom to trust is what the server has written down."""
    files = Office(1).write(tmp_path / "given")
    (tmp_path / "keys").mkdir()
    host = HostPlan(name="host-1", cpu=1, memory=1, publish_address="127.0.0.1")

    async def healthy(_request):
        return web.Response()

    async def story():
        application = web.Application()
        application.router.add_get("/healthz", healthy)
        runner, port = web.AppRunner(application), unused_port()
        await runner.setup()
        context = server_context(files.certificate, files.key)
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
        plan = evolve(
            a_supervisor(tmp_path)._plan,
            listen=f"0.0.0.0:{port}",
            public_names=("registry.lab", "b.lab"),
        )
        supervisor = Supervisor(plan)
        assert " ".join(supervisor._server()).count("--public-name") == 2
        asked = asyncio.create_task(supervisor._healthy())
        (tmp_path / ADDRESS_FILE).write_text(f"https://127.0.0.1:{port}\n")
        bundle = tmp_path / "keys" / "ca.pem"
        bundle.write_text(files.authority.read_text())
        assert await asyncio.wait_for(asked, SECONDS_MAX)
        words = supervisor._agent(host)
        assert words[words.index("--endpoint") + 1] == f"https://127.0.0.1:{port}"
        assert words[words.index("--ca") + 1] == str(bundle)
        await runner.cleanup()

    asyncio.run(story())
