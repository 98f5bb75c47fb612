"""Servers that nobody here wrote, as daemons and replacing themselves."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.conftest import Make, in_both_ways
from tests.live.stack import STOPPED, Live, is_alive
from tests.support.caller import caller
from tests.support.eventually import eventually
from tests.support.needed import need, need_program
from tests.support.ports import free_pool

pytestmark = pytest.mark.live

HTTP = b"GET / HTTP/1.0\r\n\r\n"


def lives(live: Live, port: int, name: str = "web", count: int = 1, pid_file: Path | None = None) -> int:
    """Crashes, restarts and stops a service that runs; the pid of its first main process."""
    live.until(name, state="running", port=port)
    if pid_file is not None:  # whoever started it may still be there
        eventually(lambda: int(pid_file.read_text()) == live.rows()[name]["pid"], within=20)
    first = eventually(lambda: pid if is_alive(pid := live.rows()[name]["pid"]) else None)
    os.kill(first, signal.SIGKILL)
    row = live.until(name, state="running", restarts=count)
    assert row["pid"] != first
    assert live.do("restart", name)[name]["ok"]
    last = live.until(name, state="running")["pid"]
    assert last not in (first, row["pid"])
    assert live.do("stop", name)[name].items() >= STOPPED
    eventually(lambda: not is_alive(last))
    assert live.do("start", name)[name]["ok"]
    assert live.run("down").returncode == 0
    live.leaves_nothing(port)
    return int(first)


@pytest.mark.parametrize("has_pid_file", [False, True], ids=["socket", "pid-file"])
@in_both_ways
def test_redis_as_a_daemon_is_a_service_like_any_other(stack: Make, has_pid_file: bool) -> None:
    need_program("redis-server")
    (port,) = free_pool(1)
    live = stack({})
    options = f"--daemonize yes --save '' --dir {live.folder} --pidfile {live.folder}/redis-{{port}}.pid"
    more = {"pid_file": "redis-{port}.pid"} if has_pid_file else {}
    live.write({"web": {"command": f"redis-server --port {{port}} {options}", "pool": [port], **more}})
    with live.up():
        live.until("web", state="running")
        eventually(lambda: int((live.folder / f"redis-{port}.pid").read_text()) == live.rows()["web"]["pid"])
        lives(live, port)


@in_both_ways
def test_a_crash_of_what_started_redis_ends_redis(stack: Make) -> None:
    need_program("redis-server")
    (port,) = free_pool(1)
    live = stack({})
    go, pid_file = live.folder / "go", live.folder / "redis.pid"
    starts = f"redis-server --port {port} --daemonize yes --save '' --dir {live.folder} --pidfile {pid_file}"
    command = ["sh", "-c", f"{starts}; while [ ! -e {go} ]; do sleep 0.05; done; rm {go}; exit 1"]
    live.write({"web": {"command": command, "pool": [port]}})
    with live.up():
        live.until("web", state="running")
        redis = eventually(lambda: int(pid_file.read_text() or 0))
        go.touch()
        live.until("web", state="running", restarts=1)
        eventually(lambda: not is_alive(redis))
        assert live.do("stop", "web")["web"]["words"] == "stopped"
    live.leaves_nothing(port)


def nginx(folder: Path, port: int, daemon: str) -> str:
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon {daemon}; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 2; events {{}}\n"
        f"http {{ access_log off; server {{ listen 127.0.0.1:{port}; location / {{ return 200 nginx; }} }} }}\n"
    )
    return f"{shutil.which('nginx')} -p {folder} -c {config}"


@in_both_ways
def test_nginx_as_a_daemon_is_a_service_like_any_other(stack: Make) -> None:
    need_program("nginx", "nginx-light")
    (port,) = free_pool(1)
    live = stack({})
    live.write({"web": {"command": nginx(live.folder, port, "on"), "pool": [port]}})
    with live.up():
        lives(live, port, pid_file=live.folder / "nginx.pid")


def upgraded(live: Live, port: int, old: int, quit: Callable[[], None]) -> int:
    """The pid of the main process once the old one has ended and another one stands for the service."""
    with caller(port, HTTP) as calls:
        quit()
        eventually(lambda: not is_alive(old))
        row = eventually(lambda: next((row for row in live.rows().values() if row["pid"] != old), None), within=20)
        assert (row["state"], row["restarts"]) == ("running", 0)
        answered = calls.answered
        eventually(lambda: calls.answered > answered + 20)
    assert calls.refused == 0
    assert live.journal("main process told")[-1]["pid"] == row["pid"]
    assert is_alive(row["pid"])
    return int(row["pid"])


@in_both_ways
def test_the_binary_upgrade_of_nginx_hands_the_service_on(stack: Make) -> None:
    """It ignores SIGUSR2 in the foreground, as long as its parent lives."""
    need_program("nginx", "nginx-light")
    (port,) = free_pool(1)
    live = stack({})
    live.write({"web": {"command": nginx(live.folder, port, "on"), "pool": [port]}})
    with live.up():
        live.until("web", state="running")
        # Not the process that was started, which listens before it puts itself into the background.
        old = eventually(lambda: _pid_in(live.folder / "nginx.pid"))
        live.until("web", pid=old)
        os.kill(old, signal.SIGUSR2)
        new = eventually(lambda: _other_pid(live.folder / "nginx.pid", old))
        assert upgraded(live, port, old, lambda: os.kill(old, signal.SIGQUIT)) == new
        os.kill(new, signal.SIGKILL)
        live.until("web", state="running", restarts=1)


def _pid_in(file: Path) -> int:
    return int(file.read_text() or 0) if file.exists() else 0


def _other_pid(file: Path, old: int) -> int:
    found = _pid_in(file)
    return found if found != old else 0


@in_both_ways
def test_gunicorn_replaces_itself_by_usr2(stack: Make) -> None:
    gunicorn = shutil.which("gunicorn", path=os.path.dirname(sys.executable))
    need(gunicorn, "gunicorn", "pip install -e .[dev]")
    (port,) = free_pool(1)
    live = stack({})
    (live.folder / "app.py").write_text("def app(e, start):\n    start('200 OK', [])\n    return [b'gunicorn']\n")
    command = f"{gunicorn} --pid gu.pid --bind 127.0.0.1:{{port}} app:app"
    live.write({"web": {"command": command, "pool": [port], "pid_file": "gu.pid"}})
    with live.up():
        old = live.until("web", state="running")["pid"]
        os.kill(old, signal.SIGUSR2)
        new = eventually(lambda: _other_pid(live.folder / "gu.pid.2", old), within=20)
        eventually(lambda: _children(new), within=20)
        assert upgraded(live, port, old, lambda: os.kill(old, signal.SIGQUIT)) == new
        assert live.do("restart", "web")["web"]["ok"]
        eventually(lambda: not is_alive(new))


def _children(pid: int) -> str:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text()


def test_postgres_by_pg_ctl_under_its_own_user(stack: Make) -> None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    need(found, "pg_ctl", "on Debian and Ubuntu: apt install postgresql")
    if os.geteuid():
        pytest.skip("only root can start a program as another user")
    account = pwd.getpwnam("postgres")
    (port,) = free_pool(1)
    live = stack({})
    home = Path("/var/tmp") / f"portsup-postgres-{os.getpid()}"
    home.mkdir()
    try:
        os.chown(home, account.pw_uid, account.pw_gid)
        options = f"-D {home}/data -l {home}/log -w"
        starts = f'{found[-1]} start {options} -o "-p {port} -c listen_addresses=127.0.0.1 -k {home}"'
        initial = f"{found[-1].parent}/initdb -D {home}/data -N -A trust"
        live.write({"db": {
            "command": ["sh", "-c", f"[ -d {home}/data ] || {initial}; {starts}"], "user": "postgres", "pool": [port],
            "pid_file": f"{home}/data/postmaster.pid", "working_dir": str(home), "stop_signal": "INT",
        }})  # fmt: skip
        with live.up():
            live.until("db", state="running", within=60)
            named = eventually(lambda: int((home / "data/postmaster.pid").read_text().split()[0]), within=20)
            live.until("db", pid=named)  # once pg_ctl has ended
            lives(live, port, "db")
    finally:
        shutil.rmtree(home)


@in_both_ways
def test_php_fpm_as_a_daemon(stack: Make) -> None:
    found = next((path for path in map(shutil.which, _fpm_names()) if path), None)
    need(found, "php-fpm", "on Debian and Ubuntu: apt install php-fpm")
    (port,) = free_pool(1)
    live = stack({})
    user = "user = nobody\ngroup = nogroup\n" if os.geteuid() == 0 else ""
    (live.folder / "fpm.conf").write_text(
        f"[global]\npid = {live.folder}/fpm.pid\nerror_log = {live.folder}/fpm.log\ndaemonize = yes\n"
        f"[www]\nlisten = 127.0.0.1:{port}\npm = static\npm.max_children = 2\n{user}"
    )
    live.write({"php": {"command": f"{found} -d opcache.lockfile_path={live.folder} -y fpm.conf", "pool": [port]}})
    with live.up():
        lives(live, port, "php", pid_file=live.folder / "fpm.pid")


def _fpm_names() -> list[str]:
    return ["php-fpm", *(f"php-fpm8.{minor}" for minor in range(9))]


# Hands its server to a successor that outlives it, by SIGHUP.
NODE = """
const net = require('net'), {fork} = require('child_process');
const answer = socket => socket.end('HTTP/1.0 200 OK\\r\\n\\r\\n' + process.pid);
const serve = server => process.on('SIGHUP', () => {
  const heir = fork(__filename, ['heir'], {detached: true});
  heir.on('message', said => said === 'begun' ? heir.send('server', server) : process.exit(0));
});
if (process.argv[2] === 'heir') {
  process.once('message', (_, server) => {
    server.on('connection', answer); serve(server); process.send('serves');
  });
  process.send('begun');
} else {
  const server = net.createServer(answer);
  server.listen(+process.env.PORT, '127.0.0.1'); serve(server);
}
"""
# Workers that share one listening socket, each accepting for itself; another one is forked for each that ends.
CLUSTER = """
const cluster = require('cluster'), http = require('http');
cluster.schedulingPolicy = cluster.SCHED_NONE;
if (cluster.isPrimary) {
  cluster.on('exit', () => cluster.fork()); cluster.fork(); cluster.fork();
} else http.createServer((q, r) => r.end('node ' + process.pid)).listen(+process.env.PORT, '127.0.0.1');
"""


def node_itself() -> str:
    """The program, where what is on the PATH only starts it."""
    found = subprocess.run([need_program("node", "nodejs"), "-p", "process.execPath"], capture_output=True, check=True)
    return found.stdout.decode().strip()


@in_both_ways
def test_the_heir_of_a_node_server_stands_for_the_service(stack: Make) -> None:
    """It is sent the server, as in a restart without a gap, and its parent exits."""
    node = node_itself()
    (port,) = free_pool(1)
    live = stack({})
    (live.folder / "flips.js").write_text(NODE)
    live.write({"web": {"command": f"{node} flips.js", "pool": [port]}})
    with live.up():
        old = live.until("web", state="running")["pid"]
        new = upgraded(live, port, old, lambda: os.kill(old, signal.SIGHUP))
        os.kill(new, signal.SIGKILL)
        live.until("web", state="running", restarts=1)


@in_both_ways
def test_the_workers_of_a_node_cluster_come_and_go(stack: Make) -> None:
    node = node_itself()
    (port,) = free_pool(1)
    live = stack({})
    (live.folder / "cluster.js").write_text(CLUSTER)
    live.write({"web": {"command": f"{node} cluster.js", "pool": [port]}})
    with live.up():
        row = live.until("web", state="running")
        main = row["pid"]
        with caller(port, HTTP) as calls:
            for _ in range(3):
                workers = eventually(lambda: _children(main).split())
                os.kill(int(workers[0]), signal.SIGKILL)
                eventually(lambda gone=workers[0]: gone not in _children(main).split())  # type: ignore[misc]
                answered = calls.answered
                eventually(lambda answered=answered: calls.answered > answered + 5)  # type: ignore[misc]
        assert (calls.late, calls.strange) == (0, [])
        assert row["handoff"] == "off" or calls.refused == 0  # it closes its socket while it has no worker
        assert live.rows()["web"]["restarts"] == 0
        os.kill(main, signal.SIGKILL)
        live.until("web", state="running", restarts=1)
        assert live.do("stop", "web")["web"]["ok"]
    live.leaves_nothing(port)
