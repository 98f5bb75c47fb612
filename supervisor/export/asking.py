"""Probes as commands, for targets that only know those."""

import re
import shlex

from supervisor.config.spec import Probe, ProbeKind, ServiceSpec
from supervisor.core.address import LOOPBACK
from supervisor.export.addresses import Addresses
from supervisor.export.veil import MARK, parts

LISTENING = (ProbeKind.LISTENING, ProbeKind.TCP)


def command(probe: Probe, spec: ServiceSpec, addresses: Addresses) -> list[str] | None:
    """The command that exits with 0 when all is well; None where only portsup can tell."""
    match probe.kind:
        case ProbeKind.HTTP if spec.pool:
            return _http(probe, f"http://{LOOPBACK}:{spec.pool[0]}{addresses.filled(probe.target, spec)}")
        case ProbeKind.LISTENING | ProbeKind.TCP if spec.pool:
            return ["bash", "-c", f": </dev/tcp/{LOOPBACK}/{spec.pool[0]}"]
        case ProbeKind.EXEC:
            return [addresses.filled(word, spec) for word in probe.command]
    return None


def _http(probe: Probe, url: str) -> list[str]:
    asked = ["curl", "-fsS", "-o", "/dev/null"]
    if probe.ask is not None:
        method = {"GET": [], "HEAD": ["--head"]}.get(probe.ask.method, ["--request", probe.ask.method])
        asked += [*method, *(word for name, value in probe.ask.headers for word in ("-H", f"{name}: {value}"))]
        if probe.ask.contains:
            line = [*(word for word in asked if word not in ("-o", "/dev/null")), url]
            return ["sh", "-c", f"{script(line)} | grep -qF -e {shlex.quote(probe.ask.contains)}"]
    return [*asked, url]


def loop(words: list[str]) -> list[str]:
    """A command that ends when the one in it succeeds, without printing how often it did not.

    It fails when the program has ended, which systemd itself does not look at before the loop is over.
    """
    shell = "/bin/sh"
    if words[:2] == ["bash", "-c"] and len(words) == 3:
        shell, asked = "/bin/bash", f"({words[2]}) 2>/dev/null"
    elif words[:2] == ["sh", "-c"] and len(words) == 3:
        asked = words[2]
    else:
        asked = script(["-fs" if word == "-fsS" and words[0] == "curl" else word for word in words])
    return [shell, "-c", f"until {asked}; do [ -d /proc/$MAINPID ] || exit 1; sleep 0.2; done"]


def script(words: list[str]) -> str:
    """A command for a shell; it fills in secrets by itself."""
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    if MARK not in word:
        return shlex.quote(word)
    inner = (f"${{{piece}}}" if is_name else re.sub(r'(["`\\$])', r"\\\1", piece) for piece, is_name in parts(word))
    return f'"{"".join(inner)}"'
