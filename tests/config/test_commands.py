"""What a command has of a shell, or of compose, is a mistake that shows the form that does it."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from supervisor.config.rewriting import literal
from supervisor.config.shell import syntax_among
from supervisor.config.show import resolved

from .conftest import Loading, Mistakes

HEAD = "services:\n  web:\n    pool: 7000-7002\n    "
SHELL = "needs a shell, and portsup runs commands without one"
WORD = "is a word of the shell, and portsup runs commands without one"
SETS = "sets a variable in a shell, and portsup runs commands without one"
HOME = "is passed on as it is: there is no shell that puts the home directory there"
FILLS = "is passed on as it is: there is no shell that fills it in"
FILES = "is passed on as it is: there is no shell that looks for the files"
ONE = "is taken for the name of one program"
QUOTE = "; or put it in quotes if the program is to get it as it is"


@pytest.mark.parametrize(
    ("command", "column", "reason", "form"),
    [
        ("python3 a.py && echo done", 27, f"`&&` {SHELL}", '[sh, -c, "python3 a.py && echo done"]'),
        ("python3 a.py || echo no", 27, f"`||` {SHELL}", '[sh, -c, "python3 a.py || echo no"]'),
        ("a; b", 15, f"`;` {SHELL}", '[sh, -c, "a; b"]'),
        ("ps aux | grep 'x y'", 21, f"`|` {SHELL}", "[sh, -c, \"ps aux | grep 'x y'\"]"),
        ("a > out.log", 16, f"`>` {SHELL}", '[sh, -c, "exec a > out.log"]'),
        ("a >>out.log 2>&1", 16, f"`>>` {SHELL}", '[sh, -c, "exec a >>out.log 2>&1"]'),
        ("a 2>/dev/null", 16, f"`2>` {SHELL}", '[sh, -c, "exec a 2>/dev/null"]'),
        ("a 2>&1", 16, f"`2>&1` {SHELL}", '[sh, -c, "exec a 2>&1"]'),
        ("a &> out.log", 16, f"`&>` {SHELL}", '[bash, -c, "exec a &> out.log"]'),
        ("psql < in.sql", 19, f"`<` {SHELL}", '[sh, -c, "exec psql < in.sql"]'),
        ("diff <(a) <(b)", 19, f"`<` {SHELL}", '[bash, -c, "exec diff <(a) <(b)"]'),
        ('"cat <<EOF\\nhello\\nEOF\\n"', 14, f"`<<` {SHELL}", '[sh, -c, "cat <<EOF\\nhello\\nEOF"]'),
        ("for i in 1 2; do echo $i; done", 26, f"`;` {SHELL}", '[sh, -c, "for i in 1 2; do echo $i; done"]'),
        ("if [ -f x ]; then a; fi", 25, f"`;` {SHELL}", '[sh, -c, "if [ -f x ]; then a; fi"]'),
        ('"cd app\\nnpm start\\n"', 14, f"`cd` {WORD}", "npm start` and `working_dir: app"),
        ("a `which x`", 16, f"``` {SHELL}", '[sh, -c, "exec a `which x`"]'),
        ("a --x=$(hostname)", 20, f"`$(` {SHELL}", '[sh, -c, "exec a --x=$(hostname)"]'),
        ('a "$(hostname)"', 17, f"`$(` {SHELL}", "[sh, -c, 'exec a \"$(hostname)\"']"),
        ("FOO=bar a -x", 14, f"`FOO=` {SETS}", "a -x` and `environment: {FOO: bar}"),
        ("A=1 B='x y' a", 14, f"`A=` {SETS}", 'a` and `environment: {A: 1, B: "x y"}'),
        ("PORT=7000 a", 14, f"`PORT=` {SETS}", "a"),
        ("A=$B a", 14, f"`A=` {SETS}", '[sh, -c, "A=$B a"]'),
        ("cd b && a", 19, f"`&&` {SHELL}", "a` and `working_dir: b"),
        ("cd b; A=1 a", 18, f"`;` {SHELL}", "a`, `working_dir: b` and `environment: {A: 1}"),
        ("cd b && a | c", 19, f"`&&` {SHELL}", '[sh, -c, "cd b && a | c"]'),
        ("cd $B && a", 20, f"`&&` {SHELL}", '[sh, -c, "cd $B && a"]'),
        ("export A=1 && a", 25, f"`&&` {SHELL}", "a` and `environment: {A: 1}"),
        ("source .env && a", 26, f"`&&` {SHELL}", "a` and `env_file: .env"),
        ("source venv/bin/activate && a", 39, f"`&&` {SHELL}", '[sh, -c, ". venv/bin/activate && a"]'),
        ("source vars && a", 26, f"`&&` {SHELL}", '[sh, -c, ". ./vars && a"]'),
        ("source x", 14, f"`source` {WORD}", '[sh, -c, ". ./x"]'),
        ("export X=1", 14, f"`export` {WORD}", '[sh, -c, "export X=1"]'),
        ("exec a -x", 14, f"`exec` {WORD}", "a -x"),
        ("a -x &", 19, f"`&` {SHELL}", "a -x"),
        ("a & b", 16, f"`&` {SHELL}", '[sh, -c, "a & b"]'),
        ("nohup a > x 2>&1 &", 22, f"`>` {SHELL}", '[sh, -c, "exec nohup a > x 2>&1"]'),
        ("~/bin/a -x", 14, f"`~` {HOME}", "${HOME}/bin/a -x"),
        ("a ~/x", 16, f"`~` {HOME}", "a ${HOME}/x"),
        ("a --port $PORT", 23, f"`$PORT` {FILLS}", "a --port {port}"),
        ('a "$PORT"', 17, f"`$PORT` {FILLS}", 'a "{port}"'),
        ("a --host $HOST", 23, f"`$HOST` {FILLS}", "a --host {host}"),
        ("cat *.txt", 18, f"`*.txt` {FILES}", '[sh, -c, "exec cat *.txt"]'),
        ("a src/**/*.{js,ts}", 16, f"`src/**/*.{{js,ts}}` {FILES}", '[sh, -c, "exec a src/**/*.{js,ts}"]'),
        ("a x?.txt", 16, f"`x?.txt` {FILES}", '[sh, -c, "exec a x?.txt"]'),
        ("nginx -g daemon off;", 33, f"`;` {SHELL}", "nginx -g 'daemon off;'"),
        ("sh -c npm start", 20, "a shell takes one word behind `-c` for the script, here `npm` alone",
         '[sh, -c, "npm start"]'),
        ('"a # the app"', 17,
         "`#` and what follows are passed on: there is no shell to take it for a comment", "a"),
    ],
)  # fmt: skip
def test_a_text_with_shell_syntax_comes_with_the_form_that_does_it(
    mistakes: Mistakes, command: str, column: int, reason: str, form: str
) -> None:
    (told,) = mistakes(f"{HEAD}command: {command}\n")
    assert told.startswith(f"4:{column} services.web.command: {reason} (write `command: {form}`")


@pytest.mark.parametrize(
    ("command", "token", "form"),
    [
        ('["npm run dev"]', "npm run dev", "[npm, run, dev]"),
        ('["npm run dev", --port, 3000]', "npm run dev", "[npm, run, dev, --port, 3000]"),
        ('["cd x && npm start"]', "cd x && npm start", "npm start` and `working_dir: x"),
        ('["./run.sh dev"]', "./run.sh dev", "[./run.sh, dev]"),
        ('[a, b, "&&", c]', "&&", '[sh, -c, "a b && c"]'),
        ('[a, "b c", "|", d]', "|", "[sh, -c, \"a 'b c' | d\"]"),
        ('[a, ">", out.log]', ">", '[sh, -c, "exec a > out.log"]'),
        ('[a, ">out.log", "2>&1"]', ">out.log", '[sh, -c, "exec a >out.log 2>&1"]'),
        ("[cd, x, '&&', a]", "cd", "a` and `working_dir: x"),
        ("[source, x]", "source", '[sh, -c, ". ./x"]'),
        ("[FOO=bar, a]", "FOO=", "a` and `environment: {FOO: bar}"),
        ("[~/bin/a]", "~/bin/a", '["${HOME}/bin/a"]'),
        ("[a, --port, $PORT]", "$PORT", '[a, --port, "{port}"]'),
        ("[a, --at=localhost:$PORT]", "$PORT", '[a, "--at=localhost:{port}"]'),
        ("[a, $NAME]", "$NAME", "[sh, -c, 'exec a \"$NAME\"']"),
        ("[a, $(hostname)]", "$(hostname)", "[sh, -c, 'exec a \"$(hostname)\"']"),
        ("[sh, -c, npm, start]", "npm", '[sh, -c, "npm start"]'),
    ],
)
def test_a_list_with_shell_syntax_too(mistakes: Mistakes, command: str, token: str, form: str) -> None:
    (told,) = mistakes(f"{HEAD}command: {command}\n")
    assert f"`{token}` " in told
    assert f"(write `command: {form}`" in told


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ('[CMD-SHELL, "curl -f x || exit 1"]', '[sh, -c, "curl -f x || exit 1"]'),
        ("[CMD-SHELL, pg_isready]", '[sh, -c, "exec pg_isready"]'),
        ("CMD-SHELL curl -f x || exit 1", '[sh, -c, "curl -f x || exit 1"]'),
        ("[CMD, curl, -f, x]", "[curl, -f, x]"),
        ("CMD curl -f x", "[curl, -f, x]"),
        ("curl -f localhost:$PORT || exit 1", '[sh, -c, "curl -f localhost:{port} || exit 1"]'),
        ('[curl, -f, "localhost:$PORT"]', '[curl, -f, "localhost:{port}"]'),
        ('["curl -f x"]', "[curl, -f, x]"),
        ("A=1 curl x", "[env, A=1, curl, x]"),
        ("cd x && y", '[sh, -c, "cd x && y"]'),
    ],
)
@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("healthcheck: {exec: %s}", "exec"),
        ("ready: {exec: %s}", "exec"),
        ("stop_command: %s", "stop_command"),
        ("hooks: {pre_start: %s}", "pre_start"),
        ("hooks: {pre_start: {command: %s, timeout: 3s}}", "command"),
    ],
)
def test_probes_and_hooks_are_checked_too(mistakes: Mistakes, written: str, form: str, line: str, key: str) -> None:
    (told,) = mistakes(f"{HEAD}command: a\n    {line % written}\n")
    assert told.endswith(f"(write `{key}: {form}`)")
    assert ("is a word of compose, not a program" in told) == written.lstrip("[").startswith("CMD")


def test_a_check_that_compose_switches_off_is_left_out(mistakes: Mistakes) -> None:
    (told,) = mistakes(f"{HEAD}command: a\n    healthcheck: {{exec: [NONE]}}\n")
    assert told.endswith("`NONE` is a word of compose, not a program (leave `healthcheck` out)")


def test_the_command_of_a_rendered_file_is_checked(mistakes: Mistakes) -> None:
    text = "services: {a: {command: a}}\nrender: [{template: services.yaml, to: x, on_change: {command: a && b}}]\n"
    assert mistakes(text) == [f'2:66 render[0].on_change.command: `&&` {SHELL} (write `command: [sh, -c, "a && b"]`)']


def test_the_form_minds_what_the_service_has_already(mistakes: Mistakes) -> None:
    told = mistakes(
        "services:\n"
        "  a: {command: A=1 x, environment: [B=1]}\n"
        "  b: {command: cd x && A=2 z, environment: {B: 1}, working_dir: q}\n"
        "  c: {command: ~/x, user: me}\n"
        "  d: {command: z $PORT}\n"
        "  f: {command: A=1 PORT=3000 z}\n"
        "  e: {command: z $MY_PORT, pool: 80, port_env: MY_PORT}\n"
    )
    assert [each.rpartition(" (")[2] for each in told] == [
        "write `command: x` and `- A=1` in `environment`)",
        "write `command: z`, `working_dir: q/x` and `A: 2` in `environment`)",
        'write `command: [sh, -c, "exec ~/x"]`)',
        "write `command: z {port}`, and give it a `pool`, such as `pool: 8000-8002`)",
        "write `command: z`, `pool: 3000-3002` and `environment: {A: 1}`)",
        "write `command: z {port}`)",
    ]


def test_variables_are_shown_as_they_are_written_and_their_values_are_no_syntax(
    mistakes: Mistakes, loading: Loading
) -> None:
    environ = {"PW": "a;b>c&&d", "LINE": "a && b"}
    assert loading("services: {a: {command: 'x --word ${PW}'}}", environ).services["a"].command[2] == "a;b>c&&d"
    assert mistakes("services: {a: {command: 'x --word ${PW} && y'}}", environ)[0].endswith(
        '(write `command: [sh, -c, "x --word ${PW} && y"]`)'
    )
    assert "[sh, -c, " in mistakes("services: {a: {command: '${LINE}'}}", environ)[0]


def test_no_hint_shows_a_secret(mistakes: Mistakes) -> None:
    (told,) = mistakes("services: {a: {command: 'API_KEY=abc x --token=tiny'}}")
    assert "abc" not in told
    assert "tiny" not in told


@pytest.mark.parametrize("words", [["a", "&&", "b"], ["a", "$NAME"], ["A=1", "b"], ["a b"], ["sh", "-c", "a", "b"]])
def test_what_is_meant_literally_is_shown_as_it_can_be_read_again(loading: Loading, words: list[str]) -> None:
    assert syntax_among(words, words) is not None
    stack = loading(yaml.safe_dump({"services": {"a": {"command": literal(words)}}}))
    assert stack.services["a"].command == tuple(words)
    again: Any = yaml.safe_dump(resolved(stack))
    assert loading(again).services["a"].command == tuple(words)


@pytest.mark.live
@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("echo one && echo two", "one\ntwo\n"),
        ("echo a > x; cat < x", "a\n"),
        ("echo `echo b` | tr b c", "c\n"),
        ("source vars && echo $V", "v\n"),
        ("for i in 1 2; do echo $i; done", "1\n2\n"),
        ("cat <<EOF\nhello $((1 + 1))\nEOF", "hello 2\n"),
        ("ls *.one", "a.one\nb.one\n"),
        ("echo 'it''s' \"q\" && echo \\$x", "its q\n$x\n"),
        ("(echo d)", "d\n"),
    ],
)
def test_the_shell_form_does_what_the_text_asked_for(mistakes: Mistakes, tmp_path: Path, text: str, out: str) -> None:
    (tmp_path / "vars").write_text("V=v\n")
    for name in ("a.one", "b.one"):
        (tmp_path / name).touch()
    (told,) = mistakes(yaml.safe_dump({"services": {"a": {"command": text}}}))
    form = told.partition("(write `")[2].partition("`; or put")[0].removesuffix("`)")
    command = yaml.safe_load(form)["command"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == out


@pytest.mark.parametrize(
    ("command", "reason", "hint"),
    [
        ("\u201cpython3 a.py\u201d", "`\u201c` is a typographic quote, which the program gets as it is",
         'write `"`; where it is meant, write the command as a list'),
        ("a \u2013\u2013port 1",
         "`\u2013\u2013port` begins with a typographic dash, which the program gets as it is",
         "write `--port`; where it is meant, write the command as a list"),
    ],
)  # fmt: skip
def test_signs_of_a_text_processor_are_mistakes(mistakes: Mistakes, command: str, reason: str, hint: str) -> None:
    (found,) = mistakes(f"{HEAD}command: {command}\n")
    assert found == f"4:14 services.web.command: {reason} ({hint})"


@pytest.mark.parametrize("command", ["say '\u201cyes\u201d'", "it\u2019s a\u2013b", """say "\u00abyes\u00bb" - """])
def test_a_quote_between_quotes_or_within_a_word_is_a_text(loading: Loading, command: str) -> None:
    stack = loading(f"{HEAD}command: {command}\n")
    assert not [each for each in stack.warnings if "typographic" in each]


def test_in_a_list_such_a_quote_may_be_meant_and_a_dash_is_warned_of(loading: Loading) -> None:
    stack = loading(f'{HEAD}command: [a, "\u201cyes\u201d", "\u2014 no", "\u2014port"]\n')
    assert [each for each in stack.warnings if "typographic" in each] == [
        next(each for each in stack.warnings if "`\u2014port` begins with a typographic dash" in each)
    ]
