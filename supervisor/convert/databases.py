"""PostgreSQL, MySQL and MariaDB, Redis and others that keep data, as programs of this machine."""

import os.path
import posixpath
import re
import shlex

from supervisor.convert import server_scripts
from supervisor.convert.around import Around
from supervisor.convert.draft import Filled
from supervisor.convert.image import known_name
from supervisor.convert.server import HERE, Server, Wanted, without
from supervisor.errors import PortsupError

_POSTGRES = "/usr/lib/postgresql"  # where Debian has them, a directory for each version
_AS_POSTGRES = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--")
_RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"  # where Debian has the one that runs as anybody
_HOME = "/var/lib/postgresql"  # of the user `postgres`, there


def postgres(wanted: Wanted) -> Server | None:
    """PostgreSQL of the version in the image's tag, if it is there, else the one that is."""
    program = _postgres(wanted)
    if not program:
        return None
    data, run_as = wanted.data, list[str]()
    if wanted.around.is_root:  # it refuses to run as root, and its user may not reach the directory of the stack
        folder = os.path.basename(wanted.around.absolute()) or "stack"
        data, run_as = server_scripts.DataPlace(data.name, f"{_HOME}/portsup-{folder}"), [*_AS_POSTGRES]
    server = Server([*run_as, program, "-D", Filled(data.data), "-p", Filled("{port}")], 5432)
    server.words += ["-c", f"listen_addresses={HERE}", "-c", "unix_socket_directories=", *wanted.words()]
    server.prepare = server_scripts.postgres(data, posixpath.dirname(program), _scripts(wanted), run_as)
    server.notes = [wanted.kept(data)]
    server.drops = ["PGDATA", "PGPORT", "PGHOST"]
    server.shown = posixpath.basename(program)
    server.stop_signal = "SIGINT"  # ends its clients, as that of the image does
    if run_as:
        server.notes.append("PostgreSQL refuses to run as root: it is the user `postgres`")
    return server


def _scripts(wanted: Wanted) -> str:
    """What runs once when the data is made, as a shell has it: what is mounted or copied as a directory or as files."""
    folder = "/docker-entrypoint-initdb.d"
    files = wanted.files(folder)
    folders = [f"{shlex.quote(where)}/*"] if (where := wanted.outside(folder)) else []
    return " ".join([*folders, *map(shlex.quote, dict.fromkeys(files))])


def _postgres(wanted: Wanted) -> str:
    version = re.search(r":(\d+)", wanted.image)
    places = sorted(wanted.around.matching(f"{_POSTGRES}/*/bin/postgres"), key=_version)
    of_version = [each for each in places if version and _version(each) == int(version[1])]
    if of_version:
        return of_version[0]
    if wanted.around.has_program("postgres"):
        return "postgres"
    return next(reversed(places), "")


def _version(path: str) -> int:
    digits = re.search(r"/(\d+)/bin/", path)
    return int(digits[1]) if digits else 0


def mysql(wanted: Wanted) -> Server | None:
    """MariaDB, or MySQL."""
    program = wanted.program("mariadbd") or wanted.program("mysqld")
    if not program:
        return None
    is_mariadb = program.endswith("mariadbd")
    root = ["--user=root"] if wanted.around.is_root else []
    begin = [program, "--no-defaults", *root]
    server = Server([*begin, Filled(f"--datadir=./{wanted.data.data}"), Filled("--port={port}")], 3306)
    server.words += [f"--bind-address={HERE}", "--socket=server.sock", "--pid-file=server.pid"]
    server.words.append(Filled(f"--init-file=../{wanted.data.name}-{{instance}}.sql"))  # from the data
    options = wanted.words() if is_mariadb else ["--loose-mysqlx=OFF", *wanted.words()]  # a listener more
    if is_mariadb and known_name(wanted.image) != "mariadb":
        options = [re.sub("^--(?!loose)", "--loose-", each) for each in options]
        server.notes.append("MariaDB runs instead, and ignores options that only MySQL has")
    server.words += options
    install = f'{" ".join(begin)} --initialize-insecure --datadir="$PWD/$d.new" 2>&1'
    if is_mariadb:
        install = " ".join(["mariadb-install-db", "--no-defaults", *root, '--datadir="$PWD/$d.new"'])
        install += " --auth-root-authentication-method=normal --skip-test-db"
    server.prepare = server_scripts.mysql(wanted.data, install, " ".join(begin), _scripts(wanted))
    server.notes.append(wanted.kept(wanted.data))
    server.own_check = "healthcheck.sh"
    server.drops = ["MYSQL_HOST", "MYSQL_TCP_PORT", "MYSQL_UNIX_PORT"]
    return server


def redis(wanted: Wanted) -> Server | None:
    """Redis, Valkey or KeyDB, with a file of its own before the options, if it has one."""
    name = known_name(wanted.image)
    program = wanted.program(f"{name}-server" if name in ("valkey", "keydb") else "redis-server")
    if not program:
        return None
    options = without(wanted.words(), "--dir", "--logfile", "--pidfile", "--unixsocket", "--daemonize")
    file: list[str] = [options.pop(0)] if options and not options[0].startswith("-") else []
    prepare, notes = server_scripts.folder(wanted.data), [wanted.kept(wanted.data)]
    if file and type(file[0]) is str and (gone := _of_container(wanted.around, file[0])):
        moved = [(inside, where) for inside, where in wanted.place.paths.pairs if not where.startswith(("/", "~"))]
        prepare = server_scripts.redis(wanted.data, file[0], moved)
        file = [Filled(f"{wanted.data.data}/portsup.conf")]
        notes.append(f"its configuration is written anew before each start, without its {', '.join(gone)}")
    server = Server([program, *file, "--port", Filled("{port}"), "--dir", Filled(wanted.data.data)], 6379)
    password = wanted.variables.get("REDIS_PASSWORD", "")
    if "bitnami" in wanted.image and password and "--requirepass" not in options:
        options += ["--requirepass", Filled("${REDIS_PASSWORD:-}") if "$" in password else password]
    server.words += options
    server.prepare, server.notes = prepare, notes
    return server


def _of_container(around: Around, file: str) -> list[str]:
    """The lines in a file of Redis that name a place of its container."""
    try:
        found = re.finditer(server_scripts.OF_A_CONTAINER, around.read(file), re.MULTILINE)
        return [f"`{' '.join(line[0].split())}`" for line in found]
    except PortsupError:
        return []


def memcached(wanted: Wanted) -> Server | None:
    """Memcached, which root has to tell that it may be root."""
    if not (program := wanted.program("memcached")):
        return None
    as_root = ["-u", "root"] if wanted.around.is_root and "-u" not in wanted.options else []
    return Server([program, "-p", Filled("{port}"), *as_root, *wanted.words()], 11211)


def nats(wanted: Wanted) -> Server | None:
    """The server of NATS."""
    program = wanted.program("nats-server")
    return Server([program, "-p", Filled("{port}"), *wanted.words()], 4222) if program else None


def mongo(wanted: Wanted) -> Server | None:
    """MongoDB; the user that its image would make is made by `mongosh`, which has to be there for that."""
    program = wanted.program("mongod")
    has_user = any(name.startswith("MONGO_INITDB_ROOT_USERNAME") for name in wanted.variables)
    if not program or (has_user and not wanted.around.has_program("mongosh")):
        return None
    server = Server([program, "--dbpath", Filled(wanted.data.data), "--port", Filled("{port}")], 27017)
    options = [each for each in without(wanted.words(), "--bind_ip", "--dbpath") if each != "--bind_ip_all"]
    server.words += ["--bind_ip", HERE, "--nounixsocket", *options]
    server.prepare = server_scripts.folder(wanted.data)
    if has_user:
        server.words += [] if "--auth" in options else ["--auth"]
        server.prepare = server_scripts.mongo(wanted.data, program, _scripts(wanted))
    server.notes = [wanted.kept(wanted.data)]
    return server


def rabbitmq(wanted: Wanted) -> Server | None:
    """RabbitMQ as a node of its own, with the user that its variables name, and its page if the image has it."""
    program = _RABBITMQ if wanted.around.is_there(_RABBITMQ) else wanted.program("rabbitmq-server")
    if not program or wanted.options or wanted.outside("/etc/rabbitmq/rabbitmq.conf"):
        return None
    plugins = wanted.outside("/etc/rabbitmq/enabled_plugins")
    management = 15672 if "management" in wanted.image or plugins else 0
    # As root the script of Debian runs another one as the user `rabbitmq`, whose files are elsewhere.
    line = f"""\
cd {server_scripts.FOLDER}/{wanted.data.name}-$PORTSUP_INSTANCE
export HOME="$PWD" RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_LOGS=- ERL_EPMD_ADDRESS={HERE}
export RABBITMQ_NODENAME="$PORTSUP_STACK-{wanted.data.name}-$PORTSUP_INSTANCE@localhost"
export RABBITMQ_MNESIA_BASE="$PWD/data" RABBITMQ_LOG_BASE="$PWD" RABBITMQ_PID_FILE="$PWD/pid"
export RABBITMQ_CONFIG_FILE="$PWD/rabbitmq" RABBITMQ_ENABLED_PLUGINS_FILE="$PWD/plugins"
export RABBITMQ_NODE_IP_ADDRESS={HERE} RABBITMQ_NODE_PORT="$PORT"
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {{127,0,0,1}}'
exec {program}
"""
    server = Server(["sh", "-c", line], 5672, server_scripts.rabbitmq(wanted.data, management, plugins))
    server.notes = [wanted.kept(wanted.data)]
    server.own_check = "rabbitmq"
    server.why_no_check = "asks the node of the machine: it is ready when it listens"
    server.shown = "rabbitmq-server"
    return server


def minio(wanted: Wanted) -> Server | None:
    """MinIO, with one directory."""
    if not (program := wanted.program("minio")):
        return None
    options = [each for each in without(wanted.words(), "--address") if each != "server" and not each.startswith("/")]
    address = Filled(f"{HERE}:{{port}}")
    server = Server([program, "server", Filled(wanted.data.data), "--address", address, *options], 9000)
    server.prepare = server_scripts.folder(wanted.data)
    server.notes = [wanted.kept(wanted.data)]
    server.own_check = "" if wanted.around.has_program("mc") else "mc "
    return server
