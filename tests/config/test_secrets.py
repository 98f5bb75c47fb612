"""Secrets: which they are, and that nothing shows them."""

from pathlib import Path

import pytest

from supervisor.config.load import load
from supervisor.config.secret_names import is_secret_name, redact
from supervisor.config.secrets import hunted, redact_environment, secret_values, secrets_among
from supervisor.config.show import resolved

from .conftest import Loading, Mistakes

SECRET = """
    GROQ_API_KEY KEY api_key apiKey APIKEY DB_PASSWORD PGPASSWORD passwd JWT_SECRET mySecret ACCESS_TOKEN token
    githubToken GITHUBTOKEN CREDENTIALS AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID BASIC_AUTH GROQ_API_KEYS DB_PWD
    SSH_PASSPHRASE GITHUB_PAT KEY_2 PORTSUP_EXAMPLE_TOKEN STRIPE_PRIVATE_KEY
"""
HARMLESS = """
    PORT KEYBOARD MONKEY TURKEY_HOST PWD OLDPWD HOTKEY TOKENIZERS_PARALLELISM MAX_TOKENS PATH SSH_AUTH_SOCK TOKEN_TTL
    KEY_FILE PASSWORD_MIN_LENGTH PUBLIC_KEY AUTHOR COMPASS PASSENGER SECRET_NAME TOKEN_URL LOG_LEVEL AUTHENTICATE
    KEYS_ENABLED BYPASS HOME _ 1 PAT PATTERN PAT_NAME keyId SIGNING_KEY_ID
"""


@pytest.mark.parametrize("name", SECRET.split())
def test_a_secret_is_known_by_its_name(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["", *HARMLESS.split()])
def test_a_harmless_name_is_none(name: str) -> None:
    assert not is_secret_name(name)


def test_the_values_of_a_secret() -> None:
    assert set(secret_values("API_KEYS", "abcd1,efgh2")) == {"abcd1,efgh2", "abcd1", "efgh2"}
    pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----\n"
    assert set(secret_values("SIGNING_KEY", pem)) == {pem, "MIIEow", "IBAAKC"}
    assert set(secret_values("SECRET_WORDS", "many words\n")) == {"many words\n", "many words"}
    assert set(secret_values("DATABASE_URL", "postgres://me:hunter2@db/x")) == {"hunter2"}
    assert set(secret_values("API_KEY", "abc")) == {"abc"}
    assert hunted(secret_values("API_KEY", "abcdefg")) == set()
    assert set(secret_values("AUTH", "true")) == set()
    assert set(secret_values("PORT", "8000")) == set()


def test_redacting_hides_the_longest_first() -> None:
    assert redact("abcdef abcd x", {"abcd", "abcdef"}) == "*** *** x"


def test_an_environment_is_redacted_by_name_and_by_value() -> None:
    environment = {"API_KEY": "k", "EMPTY_KEY": "", "URL": "http://x?key=hunter2", "PORT": "80"}
    assert redact_environment(environment, {"hunter2"}) == {
        "API_KEY": "***",
        "EMPTY_KEY": "",
        "URL": "http://x?key=***",
        "PORT": "80",
    }


SECRETIVE = """\
services:
  a:
    command: [run, --token, "${MY_TOKEN}"]
    environment: {DB_PASSWORD: plain-password, LEVEL: info, DSN: "postgres://u:url-password@h/d"}
    env_file: a.env
"""


def test_the_loader_collects_secrets_from_everywhere(loading: Loading, tmp_path: object) -> None:
    with open(f"{tmp_path}/a.env", "w") as file:
        file.write("FILE_SECRET=file-secret\n")
    stack = loading(SECRETIVE, {"MY_TOKEN": "token-value", "OTHER_TOKEN": "not-used-here"})
    assert stack.secrets == {"token-value", "plain-password", "url-password", "file-secret"}
    shown = str(resolved(stack))
    assert not any(secret in shown for secret in stack.secrets)
    assert shown.count("***") == 4
    revealed = str(resolved(stack, reveal=True))
    assert all(secret in revealed for secret in stack.secrets)


@pytest.mark.parametrize(
    "lines",
    [
        'name: "${MY_TOKEN}"\nservices: {a: {command: a}}',
        'services: {a: {command: a, restart: "${MY_TOKEN}"}}',
        'services: {a: {command: a, pool: "${MY_TOKEN}"}}',
        'services: {a: {command: "a \'${MY_TOKEN}"}}',
        'services: {a: {command: a, depends_on: ["${MY_TOKEN}"]}}',
        'services: {a: {command: a, env_file: "${MY_TOKEN}"}}',
        'services: {a: {command: a, ready: "${MY_TOKEN}"}}',
        'services: {a: {command: a, ready: {log: "(${MY_TOKEN}"}}}',
        'services: {a: {command: a, pool: 80, ready: {http: "${MY_TOKEN}"}}}',
        'services: {a: {command: a, environment: ["${MY_TOKEN}"]}}',
        'services: {a: {command: a, environment: "API_KEY=${MY_TOKEN}"}}',
        'services: {a: {command: a, environment: {API_KEY: "s3cr3t-T0KEN${NONE}"}}}',
        'services: {a: {command: "${X:?${MY_TOKEN}}"}}',
        'services: {a: {command: a, environment: {API_KEY: s3cr3t-T0KEN, B: "{port:s3cr3t-T0KEN}"}}}',
    ],
)
def test_no_mistake_shows_a_secret(mistakes: Mistakes, lines: str) -> None:
    told = "\n".join(mistakes(lines, {"MY_TOKEN": "s3cr3t-T0KEN"}))
    assert told
    assert "s3cr3t" not in told.lower()


def test_no_warning_shows_a_secret(loading: Loading) -> None:
    stack = loading('services: {a: {command: a, working_dir: "${MY_TOKEN}"}}', {"MY_TOKEN": "s3cr3t-T0KEN"})
    assert stack.warnings[0].endswith("there is no directory `***` yet")


@pytest.mark.parametrize(
    ("words", "secrets"),
    [
        (["serve", "--api-key=s3cret", "--port=80"], {"s3cret"}),
        (["serve", "--token", "s3cret", "-v"], {"s3cret"}),
        (["sh", "-c", "DB_PASSWORD=s3cret serve --x; TOKEN=other run"], {"s3cret", "other"}),
        (["/health?token=s3cret&full=yes"], {"s3cret"}),
        (["psql", "postgres://ada:s3cret@db/x"], {"s3cret"}),
        (["serve", "--token", "--verbose"], set()),
        (["sh", "-c", "echo TOKEN=$MY_SECRET KEY={port}"], set()),
        (["serve", "--key", "server.key", "--ssl-keyfile=a.pem", "--token-file", "/run/token"], set()),
        (["serve", "--token"], set()),
    ],
)
def test_the_secrets_of_a_command_line(words: list[str], secrets: set[str]) -> None:
    assert set(secrets_among(words)) == secrets


def test_secrets_in_commands_and_probes_are_collected_too(loading: Loading) -> None:
    stack = loading(
        """
        services:
          web:
            command: [serve, --api-key=in-a-command]
            pool: 8000-8002
            ready: {http: "/h?token=in-a-probe"}
            healthcheck: {exec: [check, --password, in-a-check]}
        """
    )
    assert stack.secrets >= {"in-a-command", "in-a-probe", "in-a-check"}


SAME = """\
name: shop
services:
  postgres:
    command: [postgres, -D, data, --password, tiny]
    pool: 5432-5434
    user: warehouse
    environment:
      POSTGRES_PASSWORD: postgres
      DATABASE_SECRET: warehouse
      PORT_KEY: "5432"
      DSN: "postgres://postgres:postgres@localhost/postgres"
      LONG_KEY: a-real-secret
  postgres-exporter: {command: [exporter], environment: {API_KEY: postgres-exporter, TOKEN: environment}}
"""


def test_a_secret_that_is_a_name_or_short_masks_nothing_else(loading: Loading) -> None:
    stack = loading(SAME)
    assert stack.secrets == {"a-real-secret"}
    shown = resolved(stack)
    assert list(shown["services"]) == ["postgres", "postgres-exporter"]
    postgres = shown["services"]["postgres"]
    assert postgres["command"] == ["postgres", "-D", "data", "--password", "***"]
    assert postgres["user"] == "warehouse"
    assert postgres["environment"] == {
        "POSTGRES_PASSWORD": "***",
        "DATABASE_SECRET": "***",
        "PORT_KEY": "***",
        "DSN": "postgres://postgres:***@localhost/postgres",
        "LONG_KEY": "***",
    }
    assert resolved(stack, reveal=True)["services"]["postgres"]["command"][-1] == "tiny"


def test_what_is_not_looked_for_in_output_is_noted(loading: Loading) -> None:
    stack = loading(SAME)
    where = "masked where it stands, and not looked for in output: "
    assert [note.split("services.yaml:")[1] for note in stack.notes] == [
        f"4:14: services.postgres.command: {where}it is shorter than 8 characters",
        f"8:26: services.postgres.environment.POSTGRES_PASSWORD: {where}it is also a name",
        f"9:24: services.postgres.environment.DATABASE_SECRET: {where}it is also a name",
        f"10:17: services.postgres.environment.PORT_KEY: {where}it is shorter than 8 characters",
        f"13:67: services.postgres-exporter.environment.API_KEY: {where}it is also a name",
        f"13:93: services.postgres-exporter.environment.TOKEN: {where}it is also a name",
    ]
    assert stack.warnings == ()


@pytest.mark.parametrize(
    "name",
    [
        "services: {database: {command: a, environment: {PASSWORD: database}}}",
        "services: {my-database-1: {command: a, environment: {PASSWORD: database}}}",
        "name: database\nservices: {a: {command: a, environment: {PASSWORD: database}}}",
        "services: {a: {command: ./database/run, environment: {PASSWORD: database}}}",
        "services: {a: {command: run --dir /srv/database/x, environment: {PASSWORD: database}}}",
        "services: {a: {command: a, working_dir: /srv/database, environment: {PASSWORD: database}}}",
        "services: {a: {command: a, environment: {PASSWORD: database, URL: 'http://database/x'}}}",
        "services: {a: {command: a, environment: [PASSWORD=database, 'URL=http://u@database:80/x']}}",
        "services: {a: {command: a, environment: {PASSWORD: database, DATABASE_PATH: x}}}",
        "services: {a: {command: a, environment: {PASSWORD: Database, database_path: x}}}",
        "services: {a: {command: a, profiles: [database], environment: {PASSWORD: database}}}",
        "services: {a: {command: a, pool: 80, ready: {http: /v1/database}, environment: {PASSWORD: database}}}",
        "services: {a: {command: a, environment: {PASSWORD: '${DB}'}}, database: {command: a}}",
    ],
)
def test_no_name_of_a_file_is_looked_for(loading: Loading, name: str) -> None:
    assert loading(name, {"DB": "database"}).secrets == frozenset()


def test_a_secret_stays_one_beside_names(loading: Loading) -> None:
    text = """\
services:
  web:
    command: [serve, --token=token-in-a-command, "http://u:url-password@h/x"]
    environment: {API_KEY: abc/def-0123456789, B_KEY: "one/two three"}
"""
    assert loading(text).secrets == {"token-in-a-command", "url-password", "abc/def-0123456789", "one/two three"}


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        ("two words here", {"two words here"}),
        ("correct horse battery staple", {"correct horse battery staple"}),
        ("one thing, another thing", {"one thing, another thing"}),
        ("gsk_0123456789abc, gsk_abcdefghij123", {"gsk_0123456789abc", "gsk_abcdefghij123"}),
        ("gsk_0123456789abc gsk_abcdefghij123", {"gsk_0123456789abc", "gsk_abcdefghij123"}),
        ("Bearer abcdefgh12", {"abcdefgh12"}),
    ],
)
def test_of_a_secret_of_several_words_the_whole_is_looked_for(value: str, hidden: set[str]) -> None:
    assert hunted(secret_values("MY_SECRET", value)) == {value, *hidden}


def test_a_mistake_with_a_short_secret_does_not_show_it(mistakes: Mistakes) -> None:
    told = mistakes('services: {a: {command: a, restart: "${MY_TOKEN}", pool: "${MY_TOKEN}"}}', {"MY_TOKEN": "q7q"})
    assert len(told) == 2
    assert "q7q" not in "".join(told)


def test_a_mistake_names_the_service_that_is_called_like_its_password(mistakes: Mistakes) -> None:
    text = "services: {postgres: {command: a, restrt: never, environment: {POSTGRES_PASSWORD: postgres, KEY: '8000'}},"
    text += " web: {command: a, pool: 8000, depends_on: [postgre]}}"
    told = mistakes(text)
    assert "services.postgres: unknown key `restrt`" in told[0]
    assert "did you mean `postgres`?" in told[1]


@pytest.mark.parametrize("secret", ["storefront", "127.0.0.1", "localhost", "projects", "Storefront"])
def test_the_stack_its_directories_and_this_machine_are_names_too(tmp_path: Path, secret: str) -> None:
    file = tmp_path / "projects" / "storefront" / "services.yaml"
    text = f"services: {{a: {{command: x, environment: {{API_SECRET: '{secret}', KEY: a-real-secret}}}}}}"
    assert load(file, {}, text=text).secrets == {"a-real-secret"}


def test_a_short_secret_that_a_variable_filled_in_is_masked_there(loading: Loading) -> None:
    stack = loading(
        """
        services:
          tiny:
            command: [tiny, --at, "u:${MY_TOKEN}@h", plain]
            environment: {WHERE: "x-${MY_TOKEN}", OTHER: tiny}
            stop_command: stop -n ${MY_TOKEN} tin
            hooks: {pre_start: {command: [tell, "${MY_TOKEN}"]}}
            ready: {exec: [ask, "-t${MY_TOKEN}"]}
        """,
        {"MY_TOKEN": "tiny"},
    )
    (service,) = resolved(stack)["services"].values()
    assert service["command"] == ["tiny", "--at", "u:***@h", "plain"]
    assert service["environment"] == {"WHERE": "x-***", "OTHER": "tiny"}
    assert service["stop_command"]["command"] == ["stop", "-n", "***", "tin"]
    assert service["hooks"]["pre_start"]["command"] == ["tell", "***"]
    assert service["ready"]["exec"] == ["ask", "-t***"]
    (again,) = resolved(stack, reveal=True)["services"].values()
    assert again["command"][2] == "u:tiny@h"
