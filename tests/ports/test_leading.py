"""Whose place in a group of sockets the kernel is told."""

import errno
import os
import socket
from types import SimpleNamespace
from typing import Any

import pytest

from supervisor import system
from supervisor.ports.leading import lead_to_last


def listener(address: str) -> Any:
    """One that listens there; it shares the port."""
    return SimpleNamespace(family=socket.AF_INET, getsockname=lambda: (address, 8000), getsockopt=lambda *_: 1)


def test_where_the_kernel_cannot_be_asked_nobody_is_led_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a descriptor to ask with, nobody seems to listen."""
    monkeypatch.setattr(system, "listening", lambda ports: [], raising=False)
    with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
        lead_to_last(listener("127.0.0.1"), ())


def test_the_last_of_those_at_the_same_address_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    led: list[int] = []
    listed = [SimpleNamespace(address=each) for each in ("127.0.0.1", "127.0.0.2", "127.0.0.1")]
    monkeypatch.setattr(system, "listening", lambda ports: listed, raising=False)
    monkeypatch.setattr(system, "lead_to", lambda _, place: led.append(place), raising=False)
    lead_to_last(listener("127.0.0.1"), ())
    assert led == [1]
