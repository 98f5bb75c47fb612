"""Follows the stacks that have names, answers where no service does, and ends the proxy with the last of the stacks."""

import contextlib
import json
import os
import socketserver
import sys
import threading
import time
from typing import Any

from supervisor.api.name_proxy import NameProxy, runs
from supervisor.errors import PortsupError
from supervisor.names.answers import Answer
from supervisor.names.caddy import configuration
from supervisor.names.have import hosts
from supervisor.names.stacks import Stacks
from supervisor.names.task import Task
from supervisor.names.unix_http import post
from supervisor.words import naming

FIRST_WITHIN = 20.0  # seconds until a stack must have made itself known
KNOWN_WITHIN = 5.0  # seconds until a daemon must have told of its services
LOAD_WITHIN = 30.0  # seconds that Caddy may take for another configuration


class Server(socketserver.ThreadingUnixStreamServer):
    """Answers each request in a thread of its own."""

    daemon_threads = True
    request_queue_size = 1024


class Proxy:
    """What this process keeps of the proxy."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.proxy = NameProxy(task.port, task.runtime, task.state)
        self.stacks = Stacks(task.runtime, task.port)
        self._domains: set[str] = set()
        self._configuring = threading.Lock()

    def run(self) -> None:
        """Until no stack is left that needs it."""
        self._recall()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.proxy.places.follower)
        proxy = self

        class Handler(Answer):
            stacks, port, https = proxy.stacks, proxy.task.port, proxy.task.https

            def have(self, run: str, *, https: bool) -> dict[str, Any] | None:
                return proxy.have(run, https=https)

        with Server(self.proxy.places.follower, Handler) as server:
            os.chmod(self.proxy.places.follower, 0o600)
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 60}, daemon=True).start()
            self._until_nobody_is_left()

    def have(self, run: str, *, https: bool) -> dict[str, Any] | None:
        """Answers for a stack from now on; None if it ends just now, or has not told of itself yet."""
        if https != self.task.https:
            return dict(zip(("why", "hint"), naming.other_scheme(self.task.port, https=https), strict=True))
        followed = self.stacks.add(run)
        if followed is None:
            return None
        deadline = time.monotonic() + KNOWN_WITHIN
        with self.stacks.changed:
            if other := self.stacks.same_names(followed.domain, run):
                self.stacks.followed.pop(run, None)
                return dict(zip(("why", "hint"), naming.same_names(other.stack), strict=True))
            while not followed.picture.services:
                left = deadline - time.monotonic()
                if left <= 0 or run not in self.stacks.followed:
                    return None
                self.stacks.changed.wait(left)
        self._note()
        if self.task.https:
            self._certify(followed.domain)
        return {"ok": True}

    def _recall(self) -> None:
        """Goes on for those that the process before this one followed."""
        with contextlib.suppress(ValueError, TypeError):
            for run in json.loads(self.proxy.kept(self.proxy.places.served) or b"[]"):
                self.stacks.add(str(run))
        with self.stacks.changed:
            self._domains = {each.domain for each in self.stacks.followed.values()}

    def _note(self) -> None:
        with self.stacks.changed:
            known = sorted(self.stacks.followed)
        with contextlib.suppress(OSError):
            self.proxy.keep(self.proxy.places.served, known)

    def _certify(self, domain: str) -> None:
        """Has Caddy make a certificate for the names of a stack; raises PortsupError."""
        with self._configuring:
            if domain in self._domains:
                return
            domains = self._domains | {domain}
            told = configuration(self.proxy.places, self.task.port, hosts(), domains, self.proxy.home)
            try:
                status, answer = post(self.proxy.places.admin, "/load", self.proxy.configure(told), LOAD_WITHIN)
                os.chmod(self.proxy.places.admin, 0o600)
            except OSError as error:
                raise PortsupError(naming.CANNOT_TELL_CADDY, str(error)) from error
            if status != 200:
                raise PortsupError(naming.CANNOT_TELL_CADDY, answer[:200].decode(errors="replace"))
            self._domains = domains

    def _until_nobody_is_left(self) -> None:
        deadline = time.monotonic() + FIRST_WITHIN
        known: set[str] = set()
        while True:
            with self.stacks.changed:
                now = set(self.stacks.followed)
                if not now and (known or time.monotonic() >= deadline):
                    self.stacks.is_closing = True
                    break
                if now == known:
                    self.stacks.changed.wait(None if now else deadline - time.monotonic())
                    continue
            if gone := known - now:
                self.proxy.places.sweep(gone=gone)
            known = now
            self._note()
        self.proxy.places.sweep(kept=runs(self.task.runtime))
        with contextlib.suppress(OSError):
            os.unlink(self.proxy.places.follower)


def main(task: Task) -> int:
    """0 once nobody needs the proxy any more."""
    os.environ |= {"PORTSUP_RUNTIME_DIR": task.runtime, "PORTSUP_STATE_DIR": task.state}
    try:
        Proxy(task).run()
    except (PortsupError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
