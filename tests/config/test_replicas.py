"""What does not go with several processes of a service."""

import pytest

from .conftest import Loading, Mistakes
from .test_mistakes import it

ONE = [
    ("replicas: 2\n    one_shot: true", "services.it.replicas: a `one_shot` runs once"),
    ("replicas: 2\n    pid_file: a.pid", "services.it.pid_file: each of the `replicas` would overwrite it"),
    ("replicas: 2\n    pool: 8000-8002\n    handoff: 'off'", "with `handoff: off` there is none"),
    ("replicas: 2\n    min_ready: 3", "services.it.min_ready: only 2 of its `replicas` can be ready"),
    ("min_ready: 2", "services.it.min_ready: only 1 of its `replicas` can be ready"),
    ("replicas: 0", "services.it.replicas"),
]


@pytest.mark.parametrize(("keys", "words"), ONE)
def test_what_cannot_be_is_a_mistake(mistakes: Mistakes, keys: str, words: str) -> None:
    (problem,) = mistakes(it(keys))
    assert words in problem


@pytest.mark.parametrize(
    "keys",
    [
        "replicas: 3\n    min_ready: 2\n    pool: 8000-8002", "replicas: 2", "replicas: 1\n    pid_file: a.pid",
        "replicas: 2\n    pool: 8000-8002\n    handoff: systemd\n    ready: {http: /}",
    ],
)  # fmt: skip
def test_what_can_be_is_none(loading: Loading, keys: str) -> None:
    assert loading(it(keys)).services["it"].replicas in (1, 2, 3)


def test_no_other_service_has_the_name_of_a_replica(mistakes: Mistakes, loading: Loading) -> None:
    (problem,) = mistakes("services:\n  api: {command: a, replicas: 2}\n  api.2: {command: b}\n")
    assert "services.api.2: this is the name of a replica of `api`" in problem
    assert len(loading("services:\n  api: {command: a}\n  api.2: {command: b}\n").services) == 2
