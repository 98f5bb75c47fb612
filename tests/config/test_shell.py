"""What only looks like shell syntax in a command is none."""

import shlex

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config.rewriting import literal
from supervisor.config.shell import syntax_in

from .conftest import Loading

FINE = """\
curl http://x/?a=1&b=2
curl -d a=1&b=2 http://localhost
run --flag='a;b' --re '^a|b$' "x > y" 'a && b'
run --json '{"a": [1, 2], "b": "x;y|z"}'
run --re=^(a|b)$ --not .*\\.(log|tmp)
python3 -c 'import os; print(os.environ["PORT"]) # done'
python3 -c "print(1); print(2)"
uvicorn app:app --forwarded-allow-ips * --port {port}
uvicorn --allow=* app:app
pip install requests>=2.0,<3 uvicorn[standard] x[dev-tools]
java -jar x.jar --url=jdbc:h2:mem:test;MODE=MySQL --type text/html;charset=utf-8
find . -name *.py -exec cat {} \\;
concurrently "npm:watch-*" "a && b"
run-p watch:*
mongosh --eval 'db.x.find({a: {$gt: 1}})'
ssh host 'a && echo $HOME > x'
env FOO=1 python a.py
sh -c 'a && b > c'
bash -lc "echo $PORT | cat"
run '$PORT' \\$PORT $1 ^x$ $
php -S {host}:{port} -t public
go run ./...
make -j4 CC=gcc
mosquitto_sub -t # -v
run --color #fff
run --color '#fff' a#b x~ a~/b user@host:~/x
run --title 'Fish & Chips' AT&T <name> a->b
run --fmt {{.Name}} {a}
redis-server --save '' --appendonly no
nginx -g 'daemon off;'
docker run -p {port}:80 -v ${HOME}/x:/x img
run [::1]:80 a[0] "$$HOME" \\~/x
"""


@pytest.mark.parametrize("command", FINE.splitlines())
def test_what_only_looks_like_shell_syntax_is_no_mistake(loading: Loading, command: str) -> None:
    stack = loading(yaml.safe_dump({"services": {"a": {"command": command, "pool": [8000]}}}), {"HOME": "/h"})
    assert stack.services["a"].command


@pytest.mark.parametrize(
    "words",
    [
        ["cut", "-d", "|", "x"],
        ["tr", "|", ","],
        ["find", ".", "-exec", "cat", "{}", ";"],
        ["expr", "1", "<", "2"],
        ["awk", "{print $NF}"],
        ["node", "-e", "console.log($x, `y`)"],
        ["sh", "-c", "a && b $PORT"],
        ["env", "A=1", "sh", "-c", "echo $X", "&&"],
        ["ssh", "host", "a", "&&", "b"],
        ["/opt/My App/run", "x"],
        ["python3", "-c", "a; b | c > d"],
        ["a", "*.py", "a;b", "x > y", "$1", "#x", "A=1"],
        ["a", "$$NAME"],
    ],
)
def test_an_argument_of_a_list_is_no_mistake(loading: Loading, words: list[str]) -> None:
    assert loading(yaml.safe_dump({"services": {"a": {"command": words}}})).services["a"].command


@pytest.mark.parametrize("text", ["a 'b", 'a "b', "a \\", "${", "${X", "`", "$(", "~", "#", "&", ";", "(", "A=", "|"])
def test_half_a_command_is_no_trouble(text: str) -> None:
    syntax_in(text)


@given(st.text("ab '\"\\$`&|;<>~*{}()#=\n!", max_size=24))
def test_what_quotes_hold_is_never_syntax(text: str) -> None:
    assert syntax_in(f"run {shlex.quote(text)}") is None


@given(
    st.lists(st.text("ab '\"$&|;<>~*#=.x", max_size=6), min_size=1, max_size=4).filter(lambda words: words[0].strip())
)
def test_every_list_can_be_written_as_a_text_that_is_fine(words: list[str]) -> None:
    text = literal(words)
    assert syntax_in(text) is None
    assert shlex.split(text) == words
