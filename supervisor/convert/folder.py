"""Sensible guesses about a folder: what its manifests say it is, and how such programs are started on a port."""

import json
import re
from collections.abc import Iterator, Mapping

from supervisor.convert.draft import Draft, Filled
from supervisor.convert.values import mapping

# What is read of a folder; the contents of other files do not matter.
MANIFESTS = (
    "package.json", "pyproject.toml", "requirements.txt", "Pipfile", "manage.py", "Cargo.toml", "go.mod", "Gemfile",
    "artisan", "mix.exs", "index.html", "main.go", "config.ru",
)  # fmt: skip
LOCKS = {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lock": "bun", "bun.lockb": "bun"}
SOURCES = (
    "main.py",
    "app.py",
    "server.py",
    "api.py",
    "wsgi.py",
    "asgi.py",
    "app/main.py",
    "src/main.py",
    "api/main.py",
)
SCRIPTS = ("dev", "start", "serve")
PORT = Filled("{port}")


def look(files: Mapping[str, str], name: str) -> Iterator[Draft]:
    """The services of a folder; `files` has the contents of MANIFESTS, LOCKS and SOURCES as far as they are there."""
    for guess in (_node, _python, _others):
        for draft in guess(files):
            draft.name = name or draft.name
            draft.gets_port = True
            draft.fields.setdefault("port_env", "PORT")
            yield draft


def _node(files: Mapping[str, str]) -> Iterator[Draft]:
    try:
        package = mapping(json.loads(files.get("package.json", "{}")))
    except (ValueError, RecursionError):
        return
    scripts = mapping(package.get("scripts"))
    script = next((known for known in SCRIPTS if isinstance(scripts.get(known), str)), "")
    needs = mapping(package.get("dependencies")) | mapping(package.get("devDependencies"))
    if not script:
        return
    runner = next((LOCKS[lock] for lock in LOCKS if lock in files), "npm")
    draft = Draft("web", {"command": [runner, "run", script]})
    draft.notes.append(f"from package.json: its script `{script}` runs `{scripts[script]}`")
    told = str(scripts[script])
    if re.search(r"\b(vite|astro|ng serve|svelte-kit)\b", told):
        separator = ["--"] if runner == "npm" else []
        draft.fields["command"] += [*separator, "--port", PORT]
        draft.notes.append("Vite and its kind do not look at `$PORT`, so the port is passed as an option")
    elif not re.search(r"\bnext\b|react-scripts|nuxt|remix", told):
        known = next((each for each in ("express", "fastify", "koa", "hono", "@nestjs/core") if each in needs), "it")
        draft.notes.append(f"taken for granted: {known} listens on `$PORT`; if not, `bind: move` moves its port")
    yield draft


def _python(files: Mapping[str, str]) -> Iterator[Draft]:
    told = "\n".join(files.get(name, "") for name in ("pyproject.toml", "requirements.txt", "Pipfile")).lower()
    sources = {name: text for name, text in files.items() if name.endswith(".py")}
    where = next((n for n in ("pyproject.toml", "requirements.txt", "Pipfile") if n in files), "the sources")
    if "manage.py" in files:
        yield _guess("web", ["python", "manage.py", "runserver", Filled("127.0.0.1:{port}")], "from manage.py: Django")
        return
    for name, text in sources.items():
        module = name.removesuffix(".py").replace("/", ".")
        made = re.search(r"^(\w+)\s*(?::[^=\n]+)?=\s*(FastAPI|Starlette|Litestar|Flask|Quart)\(", text, re.MULTILINE)
        if made and made[2] == "Flask":
            words = ["flask", "--app", f"{module}:{made[1]}", "run", "--port", PORT]
            yield _guess("web", words, f"from {name}: Flask; for more than one user take gunicorn")
            return
        if made:
            words = ["uvicorn", f"{module}:{made[1]}", "--host", "127.0.0.1", "--port", PORT]
            yield _guess("web", words, f"from {name}: {made[2]}, served by uvicorn")
            return
        if re.search(r"^import streamlit|^from streamlit", text, re.MULTILINE):
            words = ["streamlit", "run", name, "--server.headless", "true", "--server.port", PORT]
            yield _guess("web", words, f"from {name}: Streamlit")
            return
    if re.search(r"\b(fastapi|uvicorn|starlette)\b", told):
        words = ["uvicorn", "main:app", "--host", "127.0.0.1", "--port", PORT]
        yield _guess("web", words, f"from {where}: uvicorn; `main:app` is a guess, put your module and variable there")
    elif re.search(r"\bflask\b", told):
        words = ["flask", "run", "--port", PORT]
        yield _guess("web", words, f"from {where}: Flask; name the application by `--app` if it is not found")
    elif re.search(r"\bgunicorn\b", told):
        words = ["gunicorn", "--bind", Filled("127.0.0.1:{port}"), "app:app"]
        yield _guess("web", words, f"from {where}: gunicorn; `app:app` is a guess, put your module and variable there")


def _others(files: Mapping[str, str]) -> Iterator[Draft]:
    if "Cargo.toml" in files:
        note = "from Cargo.toml; taken for granted: it listens on `$PORT`; if not, `bind: move` moves its port"
        yield _guess("server", ["cargo", "run"], f"{note}. For the first build: a long `ready: {{timeout: …}}`", "5m")
    if "go.mod" in files:
        note = "from go.mod; taken for granted: it listens on `$PORT`; if not, `bind: move` moves its port"
        yield _guess("server", ["go", "run", "."], note, "2m")
    if "Gemfile" in files and re.search(r"^\s*gem\s+['\"]rails['\"]", files["Gemfile"], re.MULTILINE):
        yield _guess("web", ["bin/rails", "server", "-b", "127.0.0.1", "-p", PORT], "from Gemfile: Rails")
    elif "config.ru" in files:
        yield _guess("web", ["bundle", "exec", "rackup", "-p", PORT], "from config.ru: Rack")
    if "artisan" in files:
        yield _guess("web", ["php", "artisan", "serve", Filled("--port={port}")], "from artisan: Laravel")
    if "mix.exs" in files and "phoenix" in files["mix.exs"]:
        yield _guess("web", ["mix", "phx.server"], "from mix.exs: Phoenix; config/runtime.exs has to read `PORT`")
    if "index.html" in files and not any(name in files for name in MANIFESTS if name != "index.html"):
        words = ["python3", "-m", "http.server", PORT, "--bind", "127.0.0.1"]
        yield _guess("web", words, "from index.html: a server for the files of this directory")


def _guess(name: str, command: list[str], note: str, timeout: str = "") -> Draft:
    draft = Draft(name, {"command": command}, [note])
    if timeout:
        draft.fields["ready"] = {"listening": True, "timeout": timeout}
    return draft


def example() -> Draft:
    """A service to begin with where a folder tells nothing."""
    words = ["python3", "-m", "http.server", PORT, "--bind", "127.0.0.1"]
    draft = _guess("web", words, "an example: nothing in this directory says how it is started, so put your command")
    draft.gets_port = True
    draft.fields["port_env"] = "PORT"
    return draft
