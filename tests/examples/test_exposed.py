"""A service for which HOST is an address of the machine listens there, for clients that show a token."""

import pytest

from examples.service import LOOPBACK, host_of
from tests.examples.running import run_to_end
from tests.support.ports import free_port


@pytest.mark.parametrize(
    ("said", "host"),
    [({}, LOOPBACK), ({"HOST": ""}, LOOPBACK), ({"HOST": "my-computer"}, LOOPBACK), ({"HOST": "10.0.0.5"}, "10.0.0.5")],
)
def test_it_listens_where_host_says_if_that_is_an_address(said: dict[str, str], host: str) -> None:
    assert host_of(said) == host


@pytest.mark.live
def test_others_reach_nothing_without_a_token() -> None:
    ended = run_to_end("mcp_universal", HOST="127.0.0.2", MCP_PORT=str(free_port()))
    assert ended.returncode == 2
    assert "others reach `HOST` 127.0.0.2: set `PORTSUP_EXAMPLE_TOKEN`, or `MCP_TOKEN`" in ended.stderr
