"""Which unit the socket of systemd belongs to that starts a process for each connection."""

from pathlib import Path

import pytest

from supervisor.cli.foreign_files import read_text as read_file
from supervisor.cli.surroundings import around
from supervisor.convert.recognise import convert

SOCKET = "[Socket]\nListenStream=2525\nAccept=yes\n"


@pytest.mark.parametrize(("unit", "is_its_own"), [("mail.service", False), ("mail@.service", True)])
def test_it_is_of_the_template_and_not_of_the_unit_of_its_name(tmp_path: Path, unit: str, is_its_own: bool) -> None:
    for name, text in {"mail.socket": SOCKET, unit: "[Service]\nExecStart=/usr/bin/mail\n"}.items():
        (tmp_path / name).write_text(text)
    (draft,) = convert("systemd", unit, (tmp_path / unit).read_text(), (), around(tmp_path, read_file)).services
    assert any(left.what == "`Accept=` of `mail.socket`" for left in draft.left) is is_its_own


def test_a_socket_that_names_its_service_stays_with_it(tmp_path: Path) -> None:
    (tmp_path / "mail.socket").write_text(SOCKET + "Service=mail.service\n")
    text = "[Service]\nExecStart=/usr/bin/mail\n"
    (draft,) = convert("systemd", "mail.service", text, (), around(tmp_path, read_file)).services
    assert [left.what for left in draft.left] == ["`Accept=` of `mail.socket`"]
