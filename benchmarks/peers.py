"""The other supervisors that portsup is compared with, each as its own documentation says to run it."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import termios
import threading
import time
from pathlib import Path

from benchmarks import tools
from benchmarks.contestants import Run

_NO_RESTART = frozenset({"restart"})
_NO_LOGS = frozenset({"capture", "capture-cost"})


class Supervisord(Run):
    name = "supervisord"

    @staticmethod
    def prepare() -> str:
        return tools.missing_peer("python/bin/supervisord")

    def configure(self) -> None:
        lines = [
            "[unix_http_server]\nfile=%(here)s/s.sock",
            "[rpcinterface:supervisor]",
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
            "[supervisorctl]\nserverurl=unix://%(here)s/s.sock",
            "[supervisord]\nlogfile=%(here)s/d.log\npidfile=%(here)s/d.pid\nchildlogdir=%(here)s\nminfds=4096",
        ]
        for port in self.workload.ports:
            lines.append(f'[program:s{port}]\ncommand={self.program}\nenvironment=PORT="{port}"')
            lines.append("autorestart=true\nstartsecs=0\nstartretries=1000000")
            if self.workload.program == "flood":
                lines.append("stdout_logfile=%(here)s/flood.log\nstdout_logfile_maxbytes=50MB")
        (self.folder / "supervisord.conf").write_text("\n".join(lines) + "\n")

    def command(self) -> list[str]:
        return [tools.peer("python/bin/supervisord"), "-n", "-c", str(self.folder / "supervisord.conf")]

    def status(self) -> list[str]:
        return [tools.peer("python/bin/supervisorctl"), "-c", str(self.folder / "supervisord.conf"), "status"]


class Honcho(Run):
    """Ends everything when one process has ended, and writes what processes say to its own output only."""

    name = "honcho"
    cannot = _NO_RESTART | _NO_LOGS

    @staticmethod
    def prepare() -> str:
        return tools.missing_peer("python/bin/honcho")

    def configure(self) -> None:
        lines = [f"s{port}: PORT={port} exec {self.program}" for port in self.workload.ports]
        (self.folder / "Procfile").write_text("\n".join(lines) + "\n")

    def command(self) -> list[str]:
        return [tools.peer("python/bin/honcho"), "start", "-f", str(self.folder / "Procfile")]


class Circus(Run):
    """Looks at its processes ten times a second, as its documentation advises for fast restarts."""

    name = "circus"

    @staticmethod
    def prepare() -> str:
        return tools.missing_peer("python/bin/circusd")

    def configure(self) -> None:
        lines = [
            "[circus]\ncheck_delay = 0.1\nwarmup_delay = 0",
            f"endpoint = ipc://{self.folder}/e\npubsub_endpoint = ipc://{self.folder}/p",
        ]
        for port in self.workload.ports:
            lines.append(f"[watcher:s{port}]\ncmd = {self.program}\ncopy_env = True\nmax_retry = -1")
            if self.workload.program == "flood":
                lines.append("stdout_stream.class = FileStream\nstdout_stream.max_bytes = 50000000")
                lines.append(f"stdout_stream.backup_count = 10\nstdout_stream.filename = {self.folder}/flood.log")
            lines.append(f"[env:s{port}]\nPORT = {port}")
        (self.folder / "circus.ini").write_text("\n".join(lines) + "\n")

    def command(self) -> list[str]:
        return [tools.peer("python/bin/circusd"), str(self.folder / "circus.ini")]

    def status(self) -> list[str]:
        return [tools.peer("python/bin/circusctl"), "--endpoint", f"ipc://{self.folder}/e", "status"]


class Pm2(Run):
    """Its daemon is what `pm2 start` leaves in the background."""

    name = "pm2"

    @staticmethod
    def prepare() -> str:
        return tools.missing_peer("npm/node_modules/.bin/pm2")

    def configure(self) -> None:
        self.environment |= {"PM2_HOME": str(self.folder / "pm2"), "PATH": tools.path_with_node()}
        apps = [
            {
                "name": f"s{port}", "script": str(self.program), "interpreter": "none", "cwd": str(self.folder),
                "env": {"PORT": str(port)}, "max_restarts": 1000000, "min_uptime": 0,
                "out_file": str(self.folder / f"{self.workload.program}-{port}.log"), "combine_logs": True,
            }
            for port in self.workload.ports
        ]  # fmt: skip
        (self.folder / "bench.config.js").write_text(f"module.exports = {json.dumps({'apps': apps})}\n")

    def command(self) -> list[str]:
        return [tools.peer("npm/node_modules/.bin/pm2"), "start", str(self.folder / "bench.config.js")]

    def status(self) -> list[str]:
        return [tools.peer("npm/node_modules/.bin/pm2"), "status"]

    def settle(self, within: float) -> None:
        if self.process is not None:
            self.process.wait(within)
        self.check()

    def main_pid(self) -> int:
        with contextlib.suppress(OSError):
            return int((self.folder / "pm2/pm2.pid").read_text())
        raise RuntimeError("pm2 has no daemon")


class Mprocs(Run):
    """In a terminal of its own, which it wants."""

    name = "mprocs"
    cannot = _NO_LOGS

    @staticmethod
    def prepare() -> str:
        return tools.missing_peer("npm/node_modules/.bin/mprocs")

    def configure(self) -> None:
        self.environment |= {"PATH": tools.path_with_node(), "TERM": "xterm"}
        procs = {
            f"s{port}": {"cmd": [str(self.program)], "env": {"PORT": str(port)}, "autorestart": True}
            for port in self.workload.ports
        }
        (self.folder / "mprocs.yaml").write_text(json.dumps({"procs": procs}))

    def start(self) -> None:
        self._screen, inner = pty.openpty()
        termios.tcsetwinsize(inner, (40, 120))
        self.started_at = time.monotonic()
        command = [tools.peer("npm/node_modules/.bin/mprocs"), "-c", str(self.folder / "mprocs.yaml")]
        self.process = subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdin=inner, stdout=inner, stderr=inner,
            start_new_session=True,
        )  # fmt: skip
        os.close(inner)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while os.read(self._screen, 65536):
                pass

    def stop(self) -> None:
        os.write(self._screen, b"q")

    def end(self) -> None:
        super().end()
        self._reader.join()
        os.close(self._screen)


class _Tree(Run):
    """A folder with a `run` script a service, watched by a small process each."""

    def configure(self) -> None:
        (self.folder / "logs").mkdir()
        for port in self.workload.ports:
            self._script(f"s{port}/run", f"#!/bin/sh\nPORT={port} exec {self.program}\n")
            if self.workload.program == "flood":
                self._script(f"s{port}/log/run", f"#!/bin/sh\nexec {self.logger()} {self.folder}/logs\n")

    def logger(self) -> str:
        """The command that writes rotated files of 50 MB into a folder."""
        raise NotImplementedError

    def _script(self, name: str, text: str) -> None:
        path = self.folder / "services" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def log_files(self) -> list[Path]:
        return [path for path in (self.folder / "logs").iterdir() if path.name not in ("lock", "state", "config")]


class S6(_Tree):
    name = "s6"

    @staticmethod
    def prepare() -> str:
        return tools.missing_program("s6-svscan", "s6")

    def logger(self) -> str:
        return "s6-log n20 s50000000"

    def command(self) -> list[str]:
        return ["s6-svscan", "-c", "1000", str(self.folder / "services")]

    def status(self) -> list[str]:
        return ["sh", "-c", f"for each in {self.folder}/services/s*; do s6-svstat $each; done"]


class Runit(_Tree):
    name = "runit"

    @staticmethod
    def prepare() -> str:
        return tools.missing_program("runsvdir", "runit")

    def logger(self) -> str:
        (self.folder / "logs/config").write_text("s50000000\nn20\n")
        return "svlogd"

    def command(self) -> list[str]:
        return ["runsvdir", "-P", str(self.folder / "services")]

    def status(self) -> list[str]:
        return ["sh", "-c", f"sv status {self.folder}/services/s*"]

    def stop(self) -> None:
        os.kill(self.main_pid(), signal.SIGHUP)  # on SIGTERM it leaves everything running
