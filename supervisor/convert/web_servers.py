"""nginx and Caddy of an image, by the program of this machine and the configuration that was for the container.

Their configuration is copied before each start by `sed`: the port is that of portsup, names of other services are
variables that portsup fills in, and paths are those of this machine.
"""

import re
import shlex
from collections.abc import Collection

from supervisor.convert import server_scripts
from supervisor.convert.around import FileKind
from supervisor.convert.draft import Filled
from supervisor.convert.server import Server, Wanted
from supervisor.dataclass import dataclass, field
from supervisor.errors import PortsupError

_SITES = (
    "/etc/nginx/conf.d/default.conf", "/etc/nginx/conf.d", "/etc/nginx/http.d/default.conf", "/etc/nginx/http.d",
    "/etc/nginx/sites-enabled/default", "/etc/nginx/sites-enabled",
)  # fmt: skip
_TEMPORARY = "".join(
    f"  {each}_temp_path tmp/{each};\n" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
)
_SITE = """\
server {
  listen 80;
  root %s;
  index index.html index.htm;
}
"""
# What a configuration includes by its name alone: it lies in the directory of nginx.conf.
_BESIDE = """\
for file in /etc/nginx/*_params /etc/nginx/fastcgi.conf /etc/nginx/mime.types; do
  [ ! -e "$file" ] || ln -sf "$file" "$d"
done
"""
_PATH = re.compile(
    r"\b(?:root(?: \*)?|alias|include|auth_basic_user_file|import|file_server|try_files)\s+(/[\w./*-]+)", re.ASCII
)
_CADDY_SITE = re.compile(r"^(?P<address>(?:https?://)?[\w.:{$}*-]+(?:\s*,\s*\S+)*)\s*\{\s*$", re.MULTILINE | re.ASCII)


@dataclass(slots=True)
class Copy:
    """A configuration on its way: what `sed` puts in the place of what, and the variables for that."""

    changes: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)

    def put(self, old: str, new: str, *, is_pattern: bool = False) -> None:
        """Have `new`, in which a shell fills in variables, in place of `old`."""
        pattern = old if is_pattern else re.sub(r"([][\\.*^$#{}()+?|])", r"\\\1", old)
        change = f"s#{pattern}#".replace("\\", "\\\\").replace("$", "\\$").replace('"', '\\"').replace("`", "\\`")
        self.changes.append(f'-e "{change}{new}#g"')

    def names(self, text: str, services: Collection[str]) -> None:
        """Follow the names of services to where these are."""
        for name in sorted(services, key=len, reverse=True):
            found = re.findall(rf"(?<![\w./@-]){re.escape(name)}:\d{{2,5}}\b", text)
            if not re.search(rf"\bupstream\s+{re.escape(name)}\s*\{{", text):  # else it is that group of servers
                found += re.findall(rf"\w+://{re.escape(name)}(?![\w:.-])", text)
            found += re.findall(rf"(?<=\w://){re.escape(name)}:\d{{2,5}}\b", text)
            found += [f"{name}:80" for _ in re.finditer(rf"\bserver\s+{re.escape(name)}\s*[;\s]", text)]
            for each in dict.fromkeys(found):
                variable = "AT_" + re.sub(r"\W+", "_", each.upper())
                self.variables[variable] = each
                if each == f"{name}:80" and each not in text:
                    self.put(rf"server +{re.escape(name)} *;", f"server ${variable};", is_pattern=True)
                else:
                    self.put(each, f"${variable}")

    def paths(self, text: str, wanted: Wanted) -> None:
        """Follow paths of the container to this machine."""
        for path in dict.fromkeys(match[1] for match in _PATH.finditer(text)):
            if where := wanted.outside(path):
                below = where if where.startswith("/") else where[2:]
                new = server_scripts.in_quotes(server_scripts.of_sed(below))
                self.put(f" {path}", f" {new if where.startswith('/') else f'$PWD/{new}'}")

    def sed(self) -> str:
        """The command, without the file."""
        return "sed -E " + " ".join(self.changes) if self.changes else "cat"


def nginx(wanted: Wanted, services: Collection[str]) -> Server | None:
    """nginx with its sites of plain HTTP; None where it has certificates, templates or nothing that is known here."""
    program = wanted.program("nginx")
    main = wanted.outside("/etc/nginx/nginx.conf")
    place, site = next(((each, where) for each in _SITES if (where := wanted.outside(each))), ("", ""))
    if not program or (wanted.options and wanted.options != ["-g", "daemon off;"]):
        return None
    if wanted.outside("/etc/nginx/templates"):
        return None  # its entrypoint fills them in
    texts = {path: text for path in (main, site) if path for text in _texts(wanted, path)}
    whole = "\n".join(texts.values())
    listens = re.findall(r"\blisten\s+(?:[\d.*]+:)?(\d+)", whole)
    if re.search(r"\bssl_certificate\b|\blisten\s+\S*443\b", whole) or (whole and not listens and not main):
        return None
    port = int(listens[0]) if listens else 80
    if len(set(listens)) > 1 or _is_built(whole, wanted):
        return None  # several ports, or the sites of a machine that has not built them
    copy = Copy()
    copy.put(r"listen +\[::\]:[0-9]+[^;]*;", "", is_pattern=True)
    copy.put(rf"listen +([0-9.*]+:)?{port}( |;)", "listen 127.0.0.1:$PORT\\\\2", is_pattern=True)
    copy.names(whole, services)
    copy.paths(whole, wanted)
    folder, name = server_scripts.FOLDER, wanted.data.name
    server = Server([program, "-p", Filled(f"{folder}/{name}-{{instance}}/"), "-c", "nginx.conf", "-e", "stderr"], port)
    server.words += ["-g", "daemon off;"]
    user = "user root;\n" if wanted.around.is_root else ""
    script = server_scripts.folder(wanted.data) + 'mkdir -p "$d/tmp" "$d/sites"\nrm -f "$d"/sites/*\n' + _BESIDE
    script += _nginx_main(copy, main, site, user)
    if site:
        files = site
        if wanted.around.kind(site) is FileKind.FOLDER:
            files = f"{site}/*.conf" if place.endswith(".d") else f"{site}/*"
        script += f'for file in {files}; do {copy.sed()} "$file" >"$d/sites/${{file##*/}}.conf"; done\n'
    elif not main:
        html = wanted.outside("/usr/share/nginx/html") or wanted.outside("/var/www/html")
        if not html:
            return None
        where = html if html.startswith("/") else f"$PWD/{html[2:]}"
        script += (
            f'cat >"$d/sites/default.conf" <<END\n{(_SITE % where).replace("listen 80", "listen 127.0.0.1:$PORT")}END\n'
        )
    server.prepare, server.environment = script, copy.variables
    server.stop_signal = "SIGQUIT"
    server.notes = [f"`sed` writes its configuration anew before each start, into `{folder}/{name}-{{instance}}`"]
    return server


def _is_built(text: str, wanted: Wanted) -> bool:
    """Whether a directory that is served comes from another stage of the Dockerfile, and is not on this machine."""
    roots = re.findall(r"\b(?:root|alias)\s+[\"']?(/[^;\"'\s]+)", text) if text else ["/usr/share/nginx/html"]
    built = wanted.place.image.built
    return any(not wanted.outside(root) and any(f"{root}/".startswith(f"{each}/") for each in built) for root in roots)


def _nginx_main(copy: Copy, main: str, site: str, user: str) -> str:
    """A script that writes nginx.conf: that of the container with other places, or one that has the sites alone."""
    if not main:
        text = f"{user}pid nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n  include /etc/nginx/mime.types;\n"
        text += f"  default_type application/octet-stream;\n  access_log /dev/stdout;\n{_TEMPORARY}"
        return f"cat >\"$d/nginx.conf\" <<'END'\n{text}  include sites/*.conf;\n}}\nEND\n"
    own = Copy(list(copy.changes))
    own.put(r"(^|[ ;}])(user|pid|daemon) [^;]*;", "\\\\1", is_pattern=True)
    own.put(r"error_log +[^;]*;", "error_log stderr;", is_pattern=True)
    own.put(r"access_log +/[^ ;]*", "access_log /dev/stdout", is_pattern=True)
    own.put(r"include +/etc/nginx/(conf|http)\.d/[^;]*;", "include sites/*.conf;" if site else "", is_pattern=True)
    lines = "".join(each.strip() + " " for each in _TEMPORARY.splitlines())
    own.put(r"(^|[ ;}])http *\{", f"\\\\1http {{ {lines}", is_pattern=True)
    head = f"{user}pid nginx.pid;".replace("\n", " ")
    return f'{{ echo {shlex.quote(head)}; {own.sed()} {main}; }} >"$d/nginx.conf"\n'


def _texts(wanted: Wanted, path: str) -> list[str]:
    """The text of a file, or those of a directory in one; none where it cannot be read."""
    files = [path, *wanted.around.found(f"{path}/*")]
    texts = []
    for file in files:
        try:
            texts.append(wanted.around.read(file))
        except PortsupError:
            continue
    return ["\n".join(texts)] if texts else []


def caddy(wanted: Wanted, services: Collection[str]) -> Server | None:
    """Caddy with a Caddyfile of one site, which is one of plain HTTP here."""
    program, file = wanted.program("caddy"), wanted.outside("/etc/caddy/Caddyfile")
    if not file and (folder := wanted.outside("/etc/caddy")):
        file = f"{folder}/Caddyfile"
    text = "\n".join(_texts(wanted, file)) if file else ""
    sites = list(_CADDY_SITE.finditer(text))
    if not program or len(sites) != 1 or (wanted.options and wanted.options[:1] != ["run"]):
        return None
    address = sites[0]["address"]
    port = re.search(r":(\d+)$", address)
    copy = Copy()
    copy.put(f"^{re.escape(address)} *\\{{".replace("\\ ", " "), "http://:$PORT {", is_pattern=True)
    copy.names(text, services)
    copy.paths(text, wanted)
    folder, name = server_scripts.FOLDER, wanted.data.name
    server = Server([program, "run", "--config", Filled(f"{folder}/{name}-{{instance}}/Caddyfile")], 80)
    server.words += ["--adapter", "caddyfile"]
    server.port = int(port[1]) if port else 443 if not address.startswith("http://") else 80
    is_global = bool(re.match(r"\s*(?:#[^\n]*\n\s*)*\{", text))
    if is_global:
        copy.put(r"^\{", "{\\n  admin off", is_pattern=True)
    begin = "" if is_global else "printf '{\\n  admin off\\n}\\n'; "
    script = server_scripts.folder(wanted.data)
    server.prepare = f'{script}{{ {begin}{copy.sed()} {file}; }} >"$d/Caddyfile"\n'
    server.environment = {**copy.variables, "XDG_DATA_HOME": f"{folder}/{name}-data"}
    server.notes = [f"`sed` writes its configuration anew before each start, into `{folder}/{name}-{{instance}}`"]
    if not address.startswith(("http://", ":")):
        server.notes.append(f"`{address}` is plain HTTP here, for every name: a certificate is for the real address")
    return server
