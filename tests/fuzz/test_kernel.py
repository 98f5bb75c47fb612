"""What programs put before the kernel and before portsup: addresses of a bind, datagrams of sd_notify."""

import socket
import struct

from hypothesis import example, given
from hypothesis import strategies as st

from supervisor.core.handoff import V4, V6, parse_address
from supervisor.core.sd_notify import LONGEST, LONGEST_SPAN, LONGEST_STATUS, parse
from tests.support.budget import tries

FAMILIES = st.sampled_from([V4, V6, int(socket.AF_UNIX), 0, -1, 2**31])
NAMES = (
    "READY", "RELOADING", "STOPPING", "STATUS", "ERRNO", "MAINPID", "WATCHDOG", "WATCHDOG_USEC", "EXTEND_TIMEOUT_USEC",
    "BARRIER", "FDSTORE", "", "ready",
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(["1", "0", "trigger", "-1", "9" * 20, "9" * 5000, "٣", "1 ", " 1", "1.5", "0x1", "=", "\r"]),
    st.text(max_size=30), st.integers().map(str),
)  # fmt: skip
LINES = st.tuples(st.sampled_from(NAMES), st.sampled_from(["=", "", "=="]), VALUES).map("".join)


@tries(10, 20000)
@given(st.binary(max_size=130), FAMILIES)
@example(b"", V4)
@example(b"\x02\x00", V4)
def test_any_bytes_are_an_address_or_none(data: bytes, family: int) -> None:
    found = parse_address(data, family)
    if found is not None:
        address, port, scope = found
        assert socket.inet_pton(family, address)
        assert 0 <= port < 2**16
        assert 0 <= scope < 2**32


@tries(10, 5000)
@given(st.binary(min_size=4, max_size=4), st.integers(0, 2**16 - 1), st.binary(max_size=120))
def test_an_address_of_ipv4_is_read_whatever_stands_behind_it(raw: bytes, port: int, more: bytes) -> None:
    data = struct.pack("=H", V4) + struct.pack("!H", port) + raw + bytes(8) + more
    assert parse_address(data, V4) == (socket.inet_ntop(socket.AF_INET, raw), port, 0)


@tries(10, 20000)
@given(st.binary(max_size=LONGEST + 10) | st.lists(LINES, max_size=12).map(lambda lines: "\n".join(lines).encode()))
def test_any_datagram_is_a_notice_within_bounds_or_none(datagram: bytes) -> None:
    notice = parse(datagram)
    if notice is not None:
        assert len(notice.status or "") <= LONGEST_STATUS
        assert (notice.status or "").isprintable()
        assert notice.main_pid is None or 0 < notice.main_pid < 2**31
        assert 0 <= (notice.watchdog or 0) <= LONGEST_SPAN
        assert 0 <= notice.extension <= LONGEST_SPAN
