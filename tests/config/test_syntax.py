"""Files that are no good YAML, or no file at all: a place, a reason, something to do; never a traceback."""

import os
from pathlib import Path

import pytest

from supervisor.config.load import load
from supervisor.errors import ConfigError

from .conftest import Loading, Mistakes

CANNOT = "cannot be read as YAML:"
INDENTATION = "check the indentation of this line and the one before"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1 the file is empty (start with `services:`)"),
        ("# only a comment\n", "1:1 the file is empty (start with `services:`)"),
        ("- a\n", "1:1 the file: expected a mapping, found a list"),
        ("hello", "1:1 the file: expected a mapping, found `hello`"),
        ("~", "1:1 the file: expected a mapping, found nothing (give it a value or leave it out)"),
        ("name: a\n", "1:1 the file has no `services` (write `services: {NAME: {command: [PROGRAM, ARGUMENT]}}`)"),
        ("services:\n", "1:10 services: expected a mapping of names to services, found nothing "
         "(write `services: {NAME: {command: [PROGRAM, ARGUMENT]}}`)"),
        ("services: {}\n", "1:11 services: there is no service in it (add one: `web: {command: …, pool: …}`)"),
        ("a: 1\n---\nb: 2\n", "2:1 a second document starts here, one file is one stack "
         "(remove the line `---`, or put the rest in a file of its own)"),
        ("services: {}".encode("utf-16-le"), "1:1 is UTF-16, portsup reads UTF-8 (save it as UTF-8)"),
        ("services:\n  web\n    command: a\n", f"3:12 {CANNOT} mapping values are not allowed in this context "
         "(end line 2 with `:`)"),
        ("services:\n  web:\n    command:x\n", "3:5 services.web: expected a mapping, found `command:x` "
         "(put a space behind the colon: `command: x`)"),
        ('services:\n  web: {command: "a\\q"}\n', f"2:20 {CANNOT} found unknown escape character while parsing a "
         "quoted scalar that begins in line 2, column 18 (between double quotes `\\` begins an escape: "
         "use single quotes)"),
        ("services:\n\tweb:\n\t\tcommand: a\n", "2:1 tab in the indentation, YAML wants spaces "
         "(replace each tab with two spaces)"),
        ("services:\n  web:\n  \tcommand: a\n", "3:3 tab in the indentation, YAML wants spaces "
         "(replace each tab with two spaces)"),
        ("services:\n\u00a0 web: {command: a}\n", "2:1 character U+00A0 in the indentation looks like a space but is "
         "not one (type spaces in its place)"),
        (b"services:\n  web: {command: caf\xe9}\n", "2:21 byte 0xe9 is not UTF-8 (save the file as UTF-8)"),
        (b"\xef\xbb\xbf\xc3\xa4: \xff", "1:4 byte 0xff is not UTF-8 (save the file as UTF-8)"),
        ("services: {}".encode("utf-16"), "1:1 is UTF-16, portsup reads UTF-8 (save it as UTF-8)"),
        ("services:\n  web: \x1b[31m\n", "2:8 control character U+001B in the text (remove it)"),
        ("services:\n  web: {command: a}\n  web: {command: b}\n",
         "3:3 duplicate key `web`, first given in line 2, column 3 (keep one of them)"),
        ("services:\n  yes: {command: a}\n",
         '2:3 key `yes` is not text: YAML reads the bare word as true (put it in quotes: `"yes":`)'),
        ("services:\n  No: {command: a}\n",
         '2:3 key `No` is not text: YAML reads the bare word as false (put it in quotes: `"No":`)'),
        ("services:\n  6000: {command: a}\n",
         '2:3 key `6000` is a number, keys are text (put it in quotes: `"6000":`)'),
        ("services:\n  ~: {command: a}\n", "2:3 a key is missing before `:`"),
        ("services: {w: {command: a}, ? [x] : 1}\n", "1:31 a list or mapping cannot be a key (keys are plain text)"),
        ("services: !!python/object/apply:os.system [ls]\n", "1:11 tag `!!python/object/apply:os.system` is not "
         "allowed (remove it: portsup reads plain values only)"),
        ("services: *nope\n", "1:11 unknown alias `*nope` (define it before with `&nope`)"),
        ("services: &a {w: *a}\n", "1:18 alias `*a` contains itself"),
        ("x-a: &a 5\nservices: {w: {<<: *a, command: a}}\n",
         "1:6 `<<` merges mappings only (write `<<: *name` or `<<: [*one, *two]`)"),
        ("x-a: &a {restart: always}\nservices:\n  w:\n    <<: *a\n    <<: *a\n    command: a\n",
         "5:5 duplicate key `<<`, first given in line 4, column 5 (write `<<: [*one, *two]`)"),
        ("services:\n  w:\n    command: a: b\n", f"3:15 {CANNOT} mapping values are not allowed in this context "
         "(put a text that contains `: ` in quotes, or check the indentation)"),
        ("services:\n  w:\n    command: @a\n", f"3:14 {CANNOT} a value cannot start with `@` (put it in quotes)"),
        ("services:\n  w:\n    command: \"a\n\n", f"3:14 {CANNOT} these quotes are never closed (close them)"),
        ("services:\n  w:\n    command: [a, b\n    pool: 5\n", f"4:9 {CANNOT} did not find expected ',' or ']' while "
         "parsing a flow sequence that begins in line 3, column 14 "
         "(close the bracket, or separate the items with commas)"),
        ("services:\n  w:\n    command: a\n   pool: 5\n", f"4:4 {CANNOT} did not find expected key while parsing a "
         f"block mapping that begins in line 2, column 3 ({INDENTATION})"),
        ("%YAML 9.9\n---\na: 1\n", f"1:1 {CANNOT} found incompatible YAML document"),
        ("services: " + "[" * 60 + "]" * 60, "1:60 nested more than 50 levels deep"),
        ("- " * 60, "1:101 nested more than 50 levels deep"),
        ("a: &a " + "[" * 30 + "]" * 30 + "\nb: " + "[" * 30 + "*a" + "]" * 30, "2:34 nested more than 50 levels deep"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_stack(mistakes: Mistakes, text: str | bytes, problem: str) -> None:
    assert mistakes(text) == [problem]


def test_an_alias_bomb_is_refused_before_it_goes_off(mistakes: Mistakes) -> None:
    levels = "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    (problem,) = mistakes("a: &a [" + "x," * 10 + "]\n" + levels)
    assert problem == "5:20 more than 50000 values, aliases counted wherever they are used"


def test_a_merge_bomb_is_refused_before_it_goes_off(mistakes: Mistakes) -> None:
    keys = ", ".join(f"k{n}: 1" for n in range(500))
    text = f"x-a: &a {{{keys}}}\nservices:\n" + "".join(f"  s{n}: {{<<: *a}}\n" for n in range(900))
    assert mistakes(text)[0].endswith("more than 50000 values, aliases counted wherever they are used")


def test_text_over_several_lines_is_fine(loading: Loading) -> None:
    stack = loading("services:\n  w:\n    command:\n    - sh\n    - -c\n    - |\n      echo one\n      echo two\n")
    assert stack.services["w"].command == ("sh", "-c", "echo one\necho two\n")


def test_an_explicit_text_tag_is_fine(loading: Loading) -> None:
    assert loading("services: {w: {command: a, description: !!str 5}}").services["w"].description == "5"


def complaint(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path, {}, ephemeral=())
    (problem,) = caught.value.problems
    assert problem.file == str(path)
    return problem.message + (f" ({problem.hint})" if problem.hint else "")


def test_a_missing_file(tmp_path: Path) -> None:
    assert complaint(tmp_path / "services.yaml") == "there is no such file (check the path)"


def test_a_directory_in_place_of_a_file(tmp_path: Path) -> None:
    assert complaint(tmp_path) == "is a directory, not a file (name a file)"
    (tmp_path / "services.yml").touch()
    assert complaint(tmp_path) == f"is a directory, not a file (name the file in it: `{tmp_path}/services.yml`)"


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError  # no mode of a file does it for root

    file = tmp_path / "services.yaml"
    file.touch()
    monkeypatch.setattr(os, "open", refuse)
    assert complaint(file) == "you may not read this file (give yourself read permission: `chmod u+r services.yaml`)"


def test_a_file_far_too_large(tmp_path: Path) -> None:
    file = tmp_path / "services.yaml"
    with file.open("wb") as out:
        out.truncate(10 * 1024 * 1024)
    assert complaint(file) == "is larger than 1 MiB, no configuration is (check that it is the right file)"


def test_a_pipe_that_nobody_writes_to_does_not_make_us_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "services.yaml")
    assert complaint(tmp_path / "services.yaml") == "is no regular file (save it as a file, and name that)"


def test_a_path_that_cannot_be_one(tmp_path: Path) -> None:
    assert complaint(tmp_path / ("x" * 300)) == "cannot be read: File name too long"
    assert complaint(tmp_path / "services.yaml" / "more") == "there is no such file (check the path)"
