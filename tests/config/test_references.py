"""What other programs fill in and portsup does not: each is told, with what to write."""

import pytest

from supervisor.config.dialects.references import foreign

from .conftest import Loading


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a --home %(ENV_HOME)s", (9, "%(ENV_HOME)s", "${HOME}")),
        ("a --name=%(program_name)s", (9, "%(program_name)s", "web")),
        ("a %(process_num)02d", (2, "%(process_num)02d", "$PORTSUP_REPLICA")),
        ("a {env.TOKEN}", (2, "{env.TOKEN}", "${TOKEN}")),
        ("a {{ .Env.TOKEN }}", (2, "{{ .Env.TOKEN }}", "${TOKEN}")),
        ("a {{TOKEN}}", (2, "{{TOKEN}}", "${TOKEN}")),
        ("a --port {{port}}", (9, "{{port}}", "{port}")),
        ("http://localhost:{{ .port }}/", (17, "{{ .port }}", "{port}")),
        ("a --port={port", (9, "{port", "{port}")),
        ("a -p %PORT%", (5, "%PORT%", "{port}")),
        ("<port>", (0, "<port>", "{port}")),
        ("--port=<PORT>", (7, "<PORT>", "{port}")),
        ("http://127.0.0.1:<port>", (17, "<port>", "{port}")),
        ("{port", (0, "{port", "{port}")),
        ("__PORT__", (0, "__PORT__", "{port}")),
        ("[::1]:@PORT@", (6, "@PORT@", "{port}")),
        ("<%= port %>", (0, "<%= port %>", "{port}")),
        ("%(PORT)s", (0, "%(PORT)s", "{port}")),
        ("%port%", (0, "%port%", "{port}")),
        (":port", (0, ":port", ":{port}")),
        ("--bind=0.0.0.0:PORT", (14, ":PORT", ":{port}")),
    ],
)
def test_a_reference_of_another_program_is_found(text: str, found: tuple[int, str, str]) -> None:
    assert list(foreign(text, "web")) == [found]


@pytest.mark.parametrize(
    "text",
    [
        "", "{port}", "{{port}}", "{port:web}", "%(asctime)s %(message)s", "date +%H%M%S", "a%20b", "{{.Names}}",
        '{"port": 1}', "{env}", "${HOME}", "{{instance}}", "--format {{port}}", "{A}", "{{ .Names }} {{ .Ports }}",
        "port", "<port> <host>", "start:port", "npm:port:build", "s/__PORT__/8000/", "{{ port }}", "<ports>", "/<port>",
        "echo <port>", "{.Port}", ":ports", "import:port", "http://db:port", "{{.Port}}",
    ],
)  # fmt: skip
def test_what_a_program_may_well_want_is_none(text: str) -> None:
    assert list(foreign(text, "web")) == []


@pytest.mark.parametrize("text", ["{{port}}", "{{.Port}}", "{{ port }}"])
def test_a_template_is_one_for_the_port_behind_an_option_for_ports_alone(text: str) -> None:
    assert [list(foreign(text, "web", before)) for before in ("--format", "-f", "")] == [[], [], []]
    for before in ("--port", "-p", "--http-port"):
        assert list(foreign(text, "web", before)) == [(0, text, "{port}")]


def test_check_knows_the_option_before_a_word(loading: Loading) -> None:
    text = "services:\n  web: {command: 'a --format {{port}} --port {{port}}', pool: 8100-8102}\n"
    (warning,) = (each for each in loading(text).warnings if "filled in" in each)
    assert "`{{port}}` stands for the characters `{port}`; if it is meant to be filled in, write `{port}`" in warning
    warnings = loading("services:\n  web: {command: 'a --format {{port}}', pool: 8100-8102}\n").warnings
    assert [each for each in warnings if "filled in" in each] == []


def test_each_is_told_once_in_a_text() -> None:
    assert [shown for _, shown, _ in foreign("{{A_B}} {{C_D}} {{A_B}}", "web")] == ["{{A_B}}", "{{C_D}}"]


def test_check_warns_of_it_where_it_stands(loading: Loading) -> None:
    (warning,) = loading('services:\n  web: {command: a, environment: {A: "%(ENV_HOME)s"}}\n').warnings
    assert warning.endswith(
        "services.yaml:2:39: services.web.environment.A: `%(ENV_HOME)s` is passed on as it is;"
        " if it is meant to be filled in, write `${HOME}`"
    )
