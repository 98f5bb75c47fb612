"""What the project's own files say about it, held against each other."""

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT: dict[str, Any] = PYPROJECT["project"]
REQUIREMENTS = [
    requirement
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for requirement in group
]
SECTIONS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks_of(text: str) -> list[str]:
    """The fenced code blocks of a Markdown text."""
    return re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_all_is_what_commands_and_keys_need() -> None:
    extras = PROJECT["optional-dependencies"]
    names = ("gpu", "mcp", "names", "notify", "schedule", "top", "watch", "web")
    others = {each for name in names for each in extras[name]}
    assert set(extras["all"]) == others
    assert not others & set(extras["ray"])  # of no use on one machine, and ten times as large as all of them


@pytest.mark.parametrize("name", ["CHANGELOG.md", "LICENSE", "README.md", "docs", "examples", "services.yaml"])
def test_what_the_package_promises_to_ship_is_there(name: str) -> None:
    assert (ROOT / name).exists()


def test_the_license_is_the_one_that_is_named() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    text = read("LICENSE")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_every_requirement_has_a_lower_bound(requirement: str) -> None:
    assert re.fullmatch(r"[a-z0-9-]+>=[0-9.]+(,<[0-9.]+)?", requirement)


def test_the_lock_file_names_the_public_registry_only() -> None:
    addresses = set(re.findall(r"https?://[^/\"]+/[^/\"]+", read("uv.lock")))
    assert addresses == {"https://pypi.org/simple", "https://files.pythonhosted.org/packages"}


def test_the_lock_file_of_npm_names_no_registry_and_has_every_hash() -> None:
    lock = json.loads(read("tests/npm/package-lock.json"))
    wanted = json.loads(read("tests/npm/package.json"))["dependencies"]
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert lock["packages"][""]["dependencies"] == wanted
    assert {f"node_modules/{name}": version for name, version in wanted.items()}.items() <= {
        name: entry["version"] for name, entry in packages.items()
    }.items()
    assert all("integrity" in entry and "resolved" not in entry for entry in packages.values())


def test_the_lock_file_is_that_of_this_project() -> None:
    lock: dict[str, Any] = tomllib.loads(read("uv.lock"))
    [locked] = [package for package in lock["package"] if package["name"] == PROJECT["name"]]
    assert locked["version"] == PROJECT["version"]
    wanted = {re.sub(r"^([a-z0-9-]+)", r"\1 ", requirement) for requirement in REQUIREMENTS}
    assert {f"{one['name']} {one['specifier']}" for one in locked["metadata"]["requires-dist"]} == wanted


def test_the_changelog_has_the_shape_of_keep_a_changelog() -> None:
    text = read("CHANGELOG.md")
    assert text.startswith("# Changelog\n")
    releases = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert releases
    for release in releases:
        assert re.fullmatch(r"\[Unreleased\]|\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", release)
    for release in re.split(r"^## .*$", text, flags=re.MULTILINE)[1:]:
        sections = re.findall(r"^### (.*)$", release, re.MULTILINE)
        assert sections == [section for section in SECTIONS if section in sections]


def test_the_released_version_is_in_the_changelog_or_to_come() -> None:
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", read("CHANGELOG.md"), re.MULTILINE)
    assert not released or released[0] == PROJECT["version"]


def test_every_make_target_in_the_readme_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    text = read("README.md")
    named = set(re.findall(r"`make ([a-z-]+)", text))
    named.update(*(re.findall(r"^(?:\$ )?make ([a-z-]+)", block, re.MULTILINE) for block in blocks_of(text)))
    assert {"up", "test"} <= named <= targets


def test_every_make_target_that_a_message_names_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", read(".ci/setup.sh") + read("examples/fetch_model.py")))
    assert {"extras"} <= named <= targets


def test_every_command_in_the_readme_exists() -> None:
    from supervisor.cli.commands import ALIASES, LINES

    text = read("README.md")
    inline = re.findall(r"`portsup ([a-z]+)", text)
    typed = [name for block in blocks_of(text) for name in re.findall(r"^\$ portsup ([a-z]+)", block, re.MULTILINE)]
    assert inline + typed
    assert {*inline, *typed} <= {*LINES, *ALIASES}
    listed = re.findall(r"^\| (`[^|]*) \|", text.partition("## Commands")[2].partition("\n## ")[0], re.MULTILINE)
    assert {word for cell in listed for word in re.findall(r"`([a-z]+)", cell)} >= {*LINES, *ALIASES}


@pytest.mark.live
def test_ci_runs_the_linters_and_every_target_of_tests_and_fails_with_each(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    for name, text in {"run": read(".ci/run"), "test-deps.sh": "#!/bin/sh\n"}.items():
        (tmp_path / ".ci" / name).write_text(text)
        (tmp_path / ".ci" / name).chmod(0o755)
    make = tmp_path / "bin/make"
    make.parent.mkdir()
    again = '[ "$ONCE" ] && case $* in *--last-failed*) ;; *) false;; esac'
    make.write_text(f'#!/bin/sh\necho "$1" >>ran\n[ "$1" != "$FAILS" ] || {{ {again}; }}\n')
    make.chmod(0o755)

    def run(fails: str = "", once: str = "") -> tuple[int, list[str], str]:
        (tmp_path / "ran").write_text("")
        ended = subprocess.run(
            [tmp_path / ".ci/run"],
            env={"PATH": f"{make.parent}:{os.environ['PATH']}", "FAILS": fails, "ONCE": once},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return ended.returncode, (tmp_path / "ran").read_text().split(), ended.stderr

    targets = ["lint", "test", "test-more", "test-portable", "test-services", "test-web", "test-ray", "test-programs"]
    targets += ["test-convert", "test-exports", "test-windows", "test-soak"]
    faults = "test-faults"  # tries once more by itself what it finds
    assert run() == (0, [*targets, faults], "")
    assert run("lint")[0] != 0
    assert run(faults) == (1, [*targets, faults], f"error: failed: {faults}\n")
    for number, each in enumerate(targets[1:], 1):
        twice = [*targets[:number], each, *targets[number:], faults]
        assert run(each) == (1, twice, f"error: failed: {each}\n")
        assert run(each, once="1") == (0, twice, f"warning: failed, and passed when run once more: {each}\n")


@pytest.mark.live
def test_every_file_of_tests_is_run_by_a_target() -> None:
    apart_from_it = ("-more", "-services", "-web", "-ray", "-windows", "-programs", "-convert", "-exports")
    tried = subprocess.run(
        ["make", "-C", ROOT, "-n", *(f"test{each}" for each in ("", *apart_from_it))],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    apart = set(re.findall(r"--ignore=(\S+)", tried))
    assert apart
    for each in apart:
        by_itself_or_its_folder = (each, str(Path(each).parent))
        assert any(
            len(re.findall(rf"(?<!=){re.escape(place)}(?!\S)", tried)) == 1 for place in by_itself_or_its_folder
        ), each
