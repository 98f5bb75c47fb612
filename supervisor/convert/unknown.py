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
           content=r"^apiVersion:[ \t]*\S+|\"apiVersion\"\s*:\s*\""),
    Format("Kustomize's file", "write a service with the `command` of each container", r"kustomization\.ya?ml"),
    Format("a chart of Helm, or its values", "write a service with the `command` of each container",
           r"(chart|values([.-].*)?)\.ya?ml"),
    Format("a file about a workspace", "convert the package.json next to it",
           r"(turbo|nx|lerna|rush|workspace|angular)\.json|pnpm-workspace\.ya?ml"),
    Format("a file of pipelines", _SHELL,
           r"\.gitlab-ci.*\.ya?ml|(azure|bitbucket)-pipelines\.ya?ml|\.travis\.yml|jenkinsfile|cloudbuild\.ya?ml"),
    Format("a Caddyfile", "write `command: [caddy, run, --config, Caddyfile]`", r"(.*[.-])?caddyfile([.-].*)?"),
    Format("a file of nginx", "write `command: [nginx, -c, FILE, -g, \"daemon off;\"]`",
           r"nginx([.-].*)?\.conf", r"^\s*(events|http|upstream \S+|server)\s*\{"),
    Format("a file of a language or its packages", "`portsup init` without `--from` looks at it",
           r"cargo\.toml|go\.mod|gemfile|requirements.*\.txt|manage\.py|composer\.json|mix\.exs|deno\.jsonc?"),
    Format("a quadlet of Podman", "write a service with what its container runs", r".*\.(container|kube)"),
    Format("nodemon.json", "write a service with its `exec`", r"nodemon\.json"),
    Format("a file about hosting", "convert the package.json next to it, or write a service with what it starts",
           r"(netlify|wrangler|railway)\.toml|(vercel|now|railway|firebase|wrangler)\.jsonc?|(amplify|serverless)\.ya?ml"),
    Format("a crontab", 'write a job with each line: `one_shot: true` and `schedule: "* * * * *"`',
           r"crontab.*|.*\.cron", r"^(\*|\d+|\*/\d+)([ \t]+[\d*/,-]+){4}[ \t]+\S"),
    Format("a bake file of Docker", "convert the compose file next to it", r"docker-bake(\..*)?\.(hcl|json)"),
    Format("moon.yml", _SHELL, r"moon\.ya?ml"),
    Format("a file of DevSpace or Garden", _COPY, r"devspace\.ya?ml|(.*\.)?garden\.ya?ml"),
    Format("a file of hooks of Git", "its commands end, so none is a service",
           r"\.?lefthook.*\.ya?ml|\.pre-commit-config\.ya?ml"),
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


# Asked last: what says what a file is, and fits much else.
_LAST = (
    Format("a script", "write a service with it, or one with each of its commands that keep running",
           r".*\.(sh|bash|zsh|fish|ps1|bat|cmd)", r"\A#!.*\b(sh|bash|dash|zsh|fish)\b"),
    Format("a text", "name the file that says what is run", r".*\.(md|rst|adoc)"),
)  # fmt: skip


def told_apart(name: str, text: str) -> Format | None:
    """The format of a file that is known and not converted; `name` is the last part of its path."""
    for known in (*FORMATS, *_LAST):
        if known.name and re.fullmatch(known.name, name.lower()):
            return known
    for known in (*FORMATS, *_LAST):
        if known.content and re.search(known.content, text[:100_000], re.MULTILINE):
            return known
    return None
