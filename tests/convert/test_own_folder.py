"""Programs that look for a relative path in a folder of their own."""

from pathlib import Path

import pytest

from supervisor.convert.around import Around
from tests.convert.conftest import Converted


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("/usr/sbin/nginx -c %(here)s/n.conf", "/srv/shop/n.conf"),
        ("nginx -c %(here)s/n.conf", "/srv/shop/n.conf"),
        ("php-fpm8.2 -y %(here)s/n.conf", "/srv/shop/n.conf"),
        ("app -c %(here)s/n.conf", "./n.conf"),
    ],
)
def test_it_gets_the_whole_path(command: str, word: str, tmp_path: Path) -> None:
    text = f"[program:x]\ncommand={command}\nenvironment=HOME=%(here)s\n"
    result = Converted("supervisord", text, tmp_path, None, Around(root="/srv/shop"))
    spec = result.stack.services["x"]
    assert spec.command[-1] == word
    assert spec.environment["HOME"] == "."
