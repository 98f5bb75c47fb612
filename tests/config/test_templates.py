"""`render`: templates are read with the services.yaml, and what cannot work is found then."""

import json
from pathlib import Path

import pytest
import yaml

from supervisor.config.difference import difference
from supervisor.config.show import resolved
from supervisor.config.spec import OnChange

from .conftest import Loading, Mistakes

SERVICES = "services:\n  api: {command: a, pool: 8000-8002}\n  job: {command: b}\n"


def stack(*files: str) -> str:
    """A stack with one rendered file a line, from line 2 on."""
    return "render:\n" + "".join(f"  - {file}\n" for file in files) + SERVICES


@pytest.fixture
def template(tmp_path: Path) -> Path:
    file = tmp_path / "a.in"
    file.write_text('{"url": "{url:api}", "more": {"port": {port:api}}}\r\n${HOME} {{ .Go }} {{port:api}} {x}\n')
    return file


def test_a_template_comes_with_its_text_and_where_it_goes(loading: Loading, template: Path) -> None:
    (file,) = loading(stack("{template: a.in, to: sub/../b}")).render
    assert (file.template, file.to, file.on_change) == (template, template.parent / "b", None)
    assert file.text == template.read_bytes().decode()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{command: nginx -s reload}", OnChange(("nginx", "-s", "reload"))),
        ("{command: [curl, '{url:api}/x'], timeout: 2s}", OnChange(("curl", "{url:api}/x"), 2.0)),
        ("{signal: {service: api, signal: SIGHUP}}", OnChange(service="api", signal=1)),
    ],
)
def test_what_follows_a_change(loading: Loading, template: Path, written: str, expected: OnChange) -> None:
    loaded = loading(stack(f"{{template: a.in, to: b, on_change: {written}}}"))
    assert loaded.render[0].on_change == expected
    again = loading(yaml.safe_dump(resolved(loaded)))
    assert again.render == loaded.render
    assert json.dumps(resolved(again))


def test_mistakes_in_a_template_have_its_lines(mistakes: Mistakes, template: Path) -> None:
    template.write_text("ok {url:api}\n x={port:apu}\n{port} {hots} {url}\n{port:job}\n")
    assert mistakes(stack("{template: a.in, to: b}")) == [
        "2:4 `{port:apu}`: there is no service `apu` (did you mean `api`?)",
        "3:1 `{port}` belongs to no service here (write `{port:NAME}`, or `{{port}}` for the characters themselves)",
        "3:8 `{hots}` is not a placeholder (did you mean `{host}`? For the characters themselves write `{{hots}}`)",
        "3:15 `{url}` names no service (write `{url:NAME}`)",
        "4:1 `{port:job}`: service `job` has no `pool`, so it has no port",
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{template: none.in, to: b}", "2:16 render[0].template: `FOLDER/none.in`: there is no such file"),
        ("{template: ., to: b}", "2:16 render[0].template: `FOLDER`: is a directory, not a file"),
        ("{template: a.in, to: ./a.in}", "2:26 render[0].to: the template itself would be replaced"),
        ("{template: a.in, to: services.yaml}", "2:26 render[0].to: `FOLDER/services.yaml` is services.yaml itself"),
        ("{template: a.in, to: link}", "2:26 render[0].to: `FOLDER/link` is a symbolic link"),
        ("{template: a.in, to: dir}", "2:26 render[0].to: `FOLDER/dir` is no regular file"),
        ("{template: a.in}", "2:5 render[0] has no `to`"),
        ("{template: a.in, to: b, on_change: {}}", "2:40 render[0].on_change: needs `command` or `signal`"),
        (
            "{template: a.in, to: b, on_change: {signal: {service: apo, signal: HUP}}}",
            "2:59 render[0].on_change.signal: there is no service `apo`",
        ),
        (
            "{template: a.in, to: b, on_change: {signal: {service: api, signal: HUP}, timeout: 1s}}",
            "2:78 render[0].on_change.timeout: it is for a `command`",
        ),
        (
            "{template: a.in, to: b, on_change: {command: 'x {port}'}}",
            "2:50 render[0].on_change.command: `{port}` belongs to no service here",
        ),
        ("text", "2:5 render[0]: expected a mapping, found `text`"),
    ],
)
def test_what_cannot_work_is_found_before_anything_starts(
    mistakes: Mistakes, template: Path, written: str, expected: str
) -> None:
    (template.parent / "link").symlink_to("elsewhere")
    (template.parent / "dir").mkdir()
    (found,) = mistakes(stack(written))
    # A long path is cut.
    assert found.replace(str(template.parent), "FOLDER").startswith(expected.partition("`FOLDER")[0])
    assert expected.rpartition("`")[2] in found


def test_two_templates_for_one_file_are_a_mistake(mistakes: Mistakes, template: Path) -> None:
    (found,) = mistakes(stack("{template: a.in, to: b}", "{template: a.in, to: ./b}"))
    assert found.startswith("3:26 render[1].to: ")
    assert "is the file of render[0]" in found


def test_a_folder_that_is_not_there_yet_is_a_warning(loading: Loading, template: Path) -> None:
    (warning,) = loading(stack("{template: a.in, to: 'later/b'}")).warnings
    assert "services.yaml:2:26: render[0].to: there is no directory" in warning


def test_another_template_is_a_difference(loading: Loading, template: Path) -> None:
    old = loading(stack("{template: a.in, to: b}"))
    assert not difference(old, loading(stack("{template: a.in, to: b}")))
    template.write_text("{port:api}")
    assert difference(old, loading(stack("{template: a.in, to: b}"))).top == ("render",)
