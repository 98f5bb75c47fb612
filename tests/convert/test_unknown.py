"""Files that `init` does not convert: each is named as what it is, with what to do instead."""

import pytest

from supervisor.convert.recognise import kind_of
from supervisor.errors import UsageError


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("turbo.json", '{"tasks": {"dev": {}}}', "a file about a workspace"),
        ("pod.json", '{"apiVersion": "v1", "kind": "Pod"}', "a manifest of Kubernetes"),
        ("kustomization.yaml", "resources: [a.yaml]", "Kustomize's file"),
        ("values.prod.yaml", "replicaCount: 1", "a chart of Helm, or its values"),
        ("deploy/Caddyfile", ":80 {\n}", "a Caddyfile"),
        ("site.conf", "server {\n  listen 80;\n}", "a file of nginx"),
        ("web.container", "[Container]\nImage=nginx", "a quadlet of Podman"),
        ("jobs", "*/5 * * * * /usr/bin/x\n", "a crontab"),
        ("start.sh", "npm start &\n", "a script"),
        ("serve", "#!/usr/bin/env bash\nnpm start\n", "a script"),
        ("docker-bake.hcl", 'target "a" {}', "a bake file of Docker"),
        ("go.mod", "module x", "a file of a language or its packages"),
        ("README.md", "run: npm start", "a text"),
    ],
)
def test_a_format_is_named(name: str, text: str, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        kind_of(name, text)
    assert f"it is {what}, which `init` does not convert" in str(caught.value)
    assert caught.value.hint


def test_an_empty_file_is_named_as_that() -> None:
    with pytest.raises(UsageError, match="it is empty"):
        kind_of("stack.yaml", "\n")


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("Procfile", "web: #!x", "procfile"),
        ("web.conf", "[program:a]\ncommand=a\n", "supervisord"),
        ("stack.yaml", "services: {web: {image: nginx, command: server}}", "compose"),
        ("app.service", "[Service]\nExecStart=/bin/x\n", "systemd"),
    ],
)
def test_what_init_converts_is_none_of_them(name: str, text: str, kind: str) -> None:
    assert kind_of(name, text) == kind
