"""Files of programs that are known by name, and not converted: what they are, and what to do instead."""

import re

from supervisor.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """A format that is told apart by the name of its file, or by what is in it."""

    what: str
    remedy: str
    name: str = ""  # a pattern for the name of the file, in small letters
    content: str = ""  # a pattern for a line of the file


_COPY = "write a service with each of its commands; `portsup schema` has the keys"
_SHELL = "name its long-running commands as services; tasks that end need no supervisor"
_PANES = "write a service with each of its panes"
FORMATS = (
    Format("a manifest of Kubernetes", "write a service with the `command` of each container",
           content=r"^apiVersion:[ \t]*\S+"),
    Format("a Dockerfile", "convert the compose file that builds it; its CMD is read there",
           r"(.*\.)?dockerfile(\..*)?|containerfile"),
    Format("a Tiltfile", _COPY, r"tiltfile"),
    Format("Skaffold's file", _COPY, r"skaffold\.ya?ml"),
    Format("fly.toml of Fly.io", "write a service with what its `[processes]` say", r"fly\.toml"),
    Format("render.yaml of Render", "write a service with the `startCommand` of each", r"render\.ya?ml"),
    Format("app.yaml of App Engine", "write a service with its `entrypoint`", r"app\.ya?ml"),
    Format("heroku.yml", "convert the Procfile next to it", r"heroku\.yml"),
    Format("app.json of Heroku", "convert the Procfile next to it", r"app\.json"),
    Format("a justfile", _SHELL, r"\.?justfile|.*\.just"),
    Format("a Makefile", _SHELL, r"(gnu)?makefile|.*\.mk"),
    Format("a Taskfile", _SHELL, r"taskfile(\.dist)?\.ya?ml", r"^tasks:[ \t]*$"),
    Format("mise.toml", _SHELL, r"\.?mise(\..*)?\.toml"),
    Format("a project of tmuxinator", _PANES, r"\.?tmuxinator.*\.ya?ml", r"^(windows|project_name):"),
    Format("a session of tmuxp", _PANES, r"\.?tmuxp.*\.(ya?ml|json)", r"^session_name:"),
    Format("a file of launchd", "write its `ProgramArguments` as `command`", r".*\.plist"),
    Format("a job of Nomad", "write a service with the `command` of each task", r".*\.(nomad|hcl)"),
    Format("a job of upstart", "write what it `exec`s as a service",
           content=r"^(start|stop) on (runlevel|starting|started|stopped|\()"),
    Format("a file of monit", "write a service with each `start program`", r"\.?monitrc", r"^\s*check process \S+"),
    Format("a file of god or bluepill", "write a service with each `start`", r".*\.(god|pill)"),
    Format("a file of immortal", _COPY, r"immortal.*\.ya?ml"),
    Format("a Nix file", "write what it starts as services", r".*\.nix"),
    Format("devbox.json", "convert the process-compose.yaml next to it", r"devbox\.json"),
    Format("devcontainer.json", "convert the compose file that it names", r"\.?devcontainer\.json"),
    Format("a unit of systemd that is no service", "convert the `.service` file that it belongs to",
           r".*\.(socket|timer|target|mount|path|slice|swap|device|scope|automount)"),
    Format("a workflow of GitHub", _SHELL, content=r"^jobs:[ \t]*$"),
    Format("a playbook of Ansible", _SHELL, content=r"^- hosts:"),
    Format("a Vagrantfile", _COPY, r"vagrantfile"),
    Format("services.yaml of portsup", "it is what `init` writes: `portsup config check` looks it over",
           r"services\.ya?ml", r"^\s+(pool|one_shot|port_env|on_port_change):"),
    Format("a file of settings of an editor", "name the one that has `mcpServers`, `servers` or `context_servers`",
           r"settings\.json"),
    Format("pyproject.toml", "`portsup init` without `--from` looks at it", r"pyproject\.toml"),
    Format("a file of variables", "name the file that says what is run; this one becomes its `env_file`",
           r"\.env(\..*)?|.*\.env"),
)  # fmt: skip


def told_apart(name: str, text: str) -> Format | None:
    """The format of a file that is known and not converted; `name` is the last part of its path."""
    for known in FORMATS:
        if known.name and re.fullmatch(known.name, name.lower()):
            return known
    for known in FORMATS:
        if known.content and re.search(known.content, text[:100_000], re.MULTILINE):
            return known
    return None
