"""Runs what a document shows: its files are written, its commands typed, and their output compared with the page.

In a fenced `console` block a line that begins with `$ ` is typed into one shell, and the lines below it are its output.
`portsup up` without `-d` stays in the foreground, in a terminal of its own: a later block without `$` is what it went
on to say, and `^C` interrupts it.  A fenced block below a line that ends with "`NAME`:" is the file of that name.
"""

import contextlib
import difflib
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = "/home/ada/shop"  # where the documents say that the reader is
RUNTIME = "/tmp/portsup-1000"
STATE = "/home/ada/.local/state/portsup"
PORT = re.compile(r"\b8[1-4]\d\d\b")  # the ports of the documents
# Services start and stop side by side, so what is said of them comes in any order.
ACTS = re.compile(r"portsup( --instance \d| -f \S+)* (up|down|start|stop|restart|reload)\b")
LOOKS = re.compile(r"portsup( --instance \d| -f \S+)* (status|ports?|url|logs|ls|env)|curl|cat|tail")
# What a fresh machine may not have, and what curl says only where its output is no terminal.
_CURL = "import sys, urllib.request; print(end=urllib.request.urlopen(sys.argv[-1]).read().decode())"
PROGRAMS = {"portsup": "-m supervisor", "curl": f"-c '{_CURL}'"}
WITHIN = 15.0  # seconds until what the page shows must be seen

_BLOCK = re.compile(r"^(?:[^\n]*`(?P<file>[\w./-]+)`:\n\n)?```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.M | re.S)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; `file` is the name it is to be saved as."""

    kind: str
    body: str
    file: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a document, in order."""
    return [Block(found["kind"], found["body"], found["file"] or "") for found in _BLOCK.finditer(text)]


def commands(body: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with the output that is shown below it."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


class Reader:
    """Somebody who does what a document says, in a folder of their own and with free ports instead of its ports."""

    def __init__(self, folder: Path, text: str, free_pool: Callable[[int], tuple[int, ...]]) -> None:
        self.folder = folder
        folder.mkdir()
        ports = sorted({int(port) for port in PORT.findall(text)}) or [8100]
        self._shown = range(ports[0], ports[-1] + 1)
        self._offset = free_pool(len(self._shown))[0] - ports[0]
        bin_folder = folder.parent / "bin"
        bin_folder.mkdir()
        for name, words in PROGRAMS.items():
            (bin_folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
            (bin_folder / name).chmod(0o755)
        path = os.pathsep.join((str(bin_folder), os.path.dirname(sys.executable), os.environ["PATH"]))
        self.env = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
        self._shell = self._start(["bash", "--norc"])
        self._front: subprocess.Popen[str] | None = None
        self._said: list[str] = []

    def follow(self, text: str) -> None:
        """Does all that the document says; raises AssertionError where something else comes out."""
        for block in blocks(text):
            if block.file:
                self._path(block.file).write_text(self._there(block.body))
            elif block.kind == "console":
                self._play(block.body)

    def close(self) -> None:
        """Ends whatever is left."""
        if self._front is not None:
            self._front.kill()
            self._front.wait()
        self._type("kill $(jobs -p) 2>/dev/null")
        for line in self._type("portsup ls --format json").splitlines():
            if found := re.search(r'"pid": (\d+)', line):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(found[1]), signal.SIGKILL)
        assert self._shell.stdin is not None
        self._shell.stdin.close()
        self._shell.wait(10)

    def _path(self, name: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _play(self, body: str) -> None:
        if body.startswith("^C"):
            self._interrupt(body.partition("\n")[2])
        elif not body.startswith("$ "):
            self._expect_front(body)
        for command, output in commands(body):
            if re.match(r"portsup up(?! .*(-d\b|--dry-run))", command):
                self._front = self._start(shlex.split(command))
                threading.Thread(target=self._listen, args=(self._front,), daemon=True).start()
                self._expect_front(output)
            else:
                self._expect(command, output)

    def _expect(self, command: str, output: str) -> None:
        order = sorted if ACTS.match(command) else list
        wanted = order(normal(output))
        deadline = time.monotonic() + WITHIN
        while True:
            found = order(normal(self._here(self._type(self._there(command)))))
            if found == wanted or not LOOKS.match(command) or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        _must_be(found, wanted, f"$ {command}")
        if command.endswith("&"):
            for port in PORT.findall(command):
                self._wait_for(int(self._there(port)))

    def _expect_front(self, output: str) -> None:
        wanted = sorted(normal(output))
        deadline = time.monotonic() + WITHIN
        while (found := sorted(normal(self._here("".join(self._said))))) != wanted and time.monotonic() < deadline:
            time.sleep(0.05)
        _must_be(found, wanted, "in the foreground")
        self._said.clear()

    def _interrupt(self, output: str) -> None:
        assert self._front is not None
        self._front.send_signal(signal.SIGINT)
        assert self._front.wait(WITHIN) == 0
        self._expect_front(output)
        self._front = None

    def _type(self, command: str) -> str:
        shell = self._shell
        assert shell.stdin is not None
        assert shell.stdout is not None
        shell.stdin.write(f"{command}\necho '=== done'\n")
        shell.stdin.flush()
        output = ""
        for line in shell.stdout:
            before, end, _ = line.partition("=== done")
            output += before
            if end:
                break
        return output

    def _start(self, command: list[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command, cwd=self.folder, env=self.env, text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def _listen(self, front: subprocess.Popen[str]) -> None:
        assert front.stdout is not None
        self._said.extend(front.stdout)

    def _wait_for(self, port: int) -> None:
        deadline = time.monotonic() + WITHIN
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.05)
        raise AssertionError(f"nothing listens on {port}")

    def _there(self, text: str) -> str:
        """What the document says, with our ports and folders in the place of its own."""
        text = text.replace(HOME, str(self.folder)).replace(RUNTIME, self.env["PORTSUP_RUNTIME_DIR"])
        for state in (STATE, "~/.local/state/portsup"):
            text = text.replace(state, self.env["PORTSUP_STATE_DIR"])
        return PORT.sub(lambda found: str(int(found[0]) + self._offset), text)

    def _here(self, text: str) -> str:
        """What we saw, as it would be on the reader's machine."""
        text = text.replace(str(self.folder), HOME).replace(self.env["PORTSUP_RUNTIME_DIR"], RUNTIME)
        text = text.replace(self.env["PORTSUP_STATE_DIR"], STATE)

        def shown(found: re.Match[str]) -> str:
            port = int(found[0]) - self._offset
            return str(port) if port in self._shown else found[0]

        return re.sub(r"(?<![\w.])\d{5}\b", shown, hide_pids(text))


def _must_be(found: list[str], wanted: list[str], where: str) -> None:
    if found != wanted:
        difference = difflib.unified_diff(wanted, found, "the page", "what came", lineterm="")
        raise AssertionError("\n".join((where, *difference)))


def normal(text: str) -> list[str]:
    """The lines of an output without what differs from run to run: pids, times, users, widths of columns."""
    text = hide_pids(text)
    text = re.sub(r"user \w+\)", "user U)", text)
    text = re.sub(r"\b(?:bpf|sysctl|swap)\b(?= +\d)", "MOVES", text)  # by who runs the tests
    text = re.sub(r"\b\d+\.\d s\b", "T s", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "WHEN", text)
    text = re.sub(r"\b\d\d:\d\d:\d\d\.\d{3}\b", "WHEN", text)
    text = re.sub(r"\bpid=\d+", "pid=PID", text)
    text = re.sub(r"\btook=[\d.]+", "took=T", text)
    text = re.sub(r"\[\d\d/\w{3}/\d{4} [\d:]{8}\]", "[WHEN]", text)
    text = re.sub(r"\b[0-9a-f]{32}\b", "RUN", text)
    text = re.sub(r"stalls of 50 ms and more: .*", "STALLS", text)
    text = text.replace(" it after a delay", " it")  # a service that ran for less than a second waits
    return [re.sub(r"\s+", " ", line).strip() for line in text.strip().splitlines()]


def hide_pids(text: str) -> str:
    """`text` with PID in the place of every process id, and T for a time, also in tables that have such columns."""
    text = re.sub(r"\bpid \d+", "pid PID", text)
    text = re.sub(r'"(pid|uptime_s|since)": [\d.]+', r'"\1": PID', text)
    lines: list[str] = []
    heading: list[str] = []
    for line in text.split("\n"):
        cells = line.split()
        if "PID" in cells and all(cell.isupper() for cell in cells):
            heading = cells
        elif heading and len(cells) >= len(heading):
            cells = line.split(None, len(heading) - 1)
            for name in ("PID", "UPTIME", "SINCE"):
                if name in heading and cells[heading.index(name)] != "-":
                    cells[heading.index(name)] = name
            line = "  ".join(cells)
        elif not cells:
            heading = []
        lines.append(line)
    return "\n".join(lines)
