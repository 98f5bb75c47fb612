"""What has to be there before a database starts on this machine: shell scripts for `pre_start`, one for each program.

They keep the data in `.portsup/NAME-INSTANCE`, make it once, and read the same variables as the images do.
"""

import posixpath
import re
import shlex
from collections.abc import Sequence

from supervisor.dataclass import dataclass

FOLDER = ".portsup"
_BEGIN = """\
set -e
d={where}/{name}-$PORTSUP_INSTANCE
umask 077
mkdir -p {where}
"""
_UNTRACKED = """\
[ -e {where}/.gitignore ] || echo '*' >{where}/.gitignore
"""
_MADE_ONCE = """\
[ ! -e "$d" ] || exit 0
rm -rf "$d.new"
"""


# The directory of the stack, as it stands between the quotes of a file of Redis, on the right side of `s#…#…#`.
_HERE_IN_REDIS = """\
here=$(printf '%s' "$PWD" | sed 's/["\\\\]/\\\\&/g; s/[\\\\&#]/\\\\&/g')
"""

# Lines of Redis that name a place of its container; for `sed -E` as well.
OF_A_CONTAINER = "^[ ]*(dir|logfile|pidfile|unixsocket|daemonize yes|loadmodule)( .*)?$"


@dataclass(frozen=True, slots=True)
class DataPlace:
    """Where the data of a service is: `folder` as its program finds it, and the `name` of the service."""

    name: str
    folder: str = FOLDER

    @property
    def data(self) -> str:
        """The directory, with the placeholder of the instance in it."""
        return f"{self.folder}/{self.name}-{{instance}}"


def _begin(place: DataPlace) -> str:
    text = _BEGIN if place.folder.startswith("/") else _BEGIN + _UNTRACKED
    return text.format(where=place.folder, name=place.name)


def folder(place: DataPlace) -> str:
    """Makes an empty directory."""
    return _begin(place) + 'mkdir -p "$d"\n'


def redis(place: DataPlace, file: str, moved: Sequence[tuple[str, str]]) -> str:
    """Makes an empty directory, and a configuration in it without what is of a container.

    `moved` are paths of the container with those on this machine, relative to the directory of the stack.
    """
    expressions = [f"-e '/{OF_A_CONTAINER}/d'"]
    for inside, outside in sorted(moved, reverse=True):  # the longest of those that begin alike comes first
        old = in_quotes(re.sub(r"([][\\.*^$#{}()+?|])", r"\\\1", inside))
        new = in_quotes(of_sed(re.sub(r'(["\\])', r"\\\1", posixpath.normpath(outside))))
        change = f'(^|[[:space:]])\\"?{old}(/[^[:space:]\\"]*)?\\"?([[:space:]]|$)'
        expressions.append(f'-e "s#{change}#\\1\\"$here/{new}\\2\\"\\3#g"')
    sed = f"""sed -E {' '.join(expressions)} {shlex.quote(file)} >"$d/portsup.conf"\n"""
    return folder(place) + (_HERE_IN_REDIS if moved else "") + sed


def of_sed(text: str) -> str:
    """A text for the right side of `s#…#…#`."""
    return re.sub(r"([\\&#])", r"\\\1", text)


def in_quotes(text: str) -> str:
    """A text for between the double quotes of a shell."""
    return re.sub(r'([\\$"`])', r"\\\1", text)


def postgres(place: DataPlace, programs: str, scripts: str, run_as: Sequence[str] = ()) -> str:
    """Makes a cluster with the user and the database that the variables name; `programs` is where initdb is.

    `scripts` are the files as a shell has them, of which *.sql and *.sh run once, empty for none. `run_as` are the
    words by which root runs a program as the user `postgres`.
    """
    text = f'PATH="{programs}:$PATH"\n' if programs else ""
    text += _begin(place) + _MADE_ONCE
    text += f"as() {{ {' '.join((*run_as, chr(34) + '$@' + chr(34)))}; }}\n"
    own = 'chown postgres: "$d.pw"\n' if run_as else ""
    text += f"chown postgres: {place.folder}\n" if run_as else ""
    text += """\
user=${POSTGRES_USER:-${POSTGRESQL_USERNAME:-postgres}}
db=${POSTGRES_DB:-${POSTGRESQL_DATABASE:-$user}}
pw=${POSTGRES_PASSWORD:-$POSTGRESQL_PASSWORD}
[ -z "$POSTGRES_PASSWORD_FILE" ] || pw=$(cat "$POSTGRES_PASSWORD_FILE")
auth=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
if [ -n "$pw" ]; then
  printf '%s\\n' "$pw" >"$d.pw"
  OWNset -- --pwfile="$d.pw"
elif [ "$auth" != trust ]; then
  echo "POSTGRES_PASSWORD is not set, and nobody could log in" >&2
  exit 1
fi
as initdb -D "$d.new" -U "$user" -A "$auth" -E UTF8 --no-locale "$@" $POSTGRES_INITDB_ARGS >/dev/null
rm -f "$d.pw"
[ "$db" = postgres ] || printf 'CREATE DATABASE "%s"\\n' "$db" | as postgres --single -D "$d.new" postgres >/dev/null
""".replace("OWN", own and f"{own}  ")
    if scripts:
        text += f"""\
PGHOST=$(mktemp -d) PGUSER=$user PGDATABASE=$db PGPASSWORD=$pw
export PGHOST PGUSER PGDATABASE PGPASSWORD
OWNas pg_ctl -D "$d.new" -o "-c listen_addresses= -k $PGHOST" -w start >/dev/null
trap 'as pg_ctl -D "$d.new" -m fast -w stop >/dev/null 2>&1 || :; rm -rf "$PGHOST"' EXIT
for file in {scripts}; do
  case $file in
    *.sql) psql -v ON_ERROR_STOP=1 -q <"$file" ;;
    *.sql.gz) gunzip -c "$file" | psql -v ON_ERROR_STOP=1 -q ;;
    *.sh) sh "$file" ;;
  esac
done
as pg_ctl -D "$d.new" -m fast -w stop >/dev/null
""".replace("OWN", 'chown postgres: "$PGHOST"\n' if run_as else "")
    return text + 'mv "$d.new" "$d"\n'


def mysql(place: DataPlace, install: str, server: str, scripts: str) -> str:
    """Makes the tables, and a file of SQL by which the server has the users and the database that the variables name.

    `install` makes the tables in `$d.new`, and `server` is how the server begins; `scripts` are the files as a
    shell has them, of which *.sql run once, empty for none.
    """
    text = _begin(place)
    text += """\
q() { printf %s "$1" | sed "s/[\\\\\\\\']/\\\\\\\\&/g"; }
root=${MARIADB_ROOT_PASSWORD:-$MYSQL_ROOT_PASSWORD}
[ -z "$MYSQL_ROOT_PASSWORD_FILE" ] || root=$(cat "$MYSQL_ROOT_PASSWORD_FILE")
if [ -z "$root${MARIADB_ALLOW_EMPTY_ROOT_PASSWORD:-$MYSQL_ALLOW_EMPTY_PASSWORD}" ]; then
  root=$(od -An -tx1 -N16 /dev/urandom | tr -d ' \\n')
fi
known=$root
root=$(q "$root")
db=${MARIADB_DATABASE:-$MYSQL_DATABASE}
user=$(q "${MARIADB_USER:-$MYSQL_USER}")
pw=${MARIADB_PASSWORD:-$MYSQL_PASSWORD}
[ -z "$MYSQL_PASSWORD_FILE" ] || pw=$(cat "$MYSQL_PASSWORD_FILE")
pw=$(q "$pw")
{
  printf "ALTER USER 'root'@'localhost' IDENTIFIED BY '%s';\\n" "$root"
  printf "CREATE USER IF NOT EXISTS 'root'@'%%' IDENTIFIED BY '%s';\\n" "$root"
  printf "ALTER USER 'root'@'%%' IDENTIFIED BY '%s';\\n" "$root"
  printf "GRANT ALL ON *.* TO 'root'@'%%' WITH GRANT OPTION;\\n"
  [ -z "$db" ] || printf 'CREATE DATABASE IF NOT EXISTS `%s`;\\n' "$db"
  [ -z "$user" ] || printf "CREATE USER IF NOT EXISTS '%s'@'%%' IDENTIFIED BY '%s';\\n" "$user" "$pw"
  [ -z "$user" ] || [ -z "$db" ] || printf "GRANT ALL ON \\`%s\\`.* TO '%s'@'%%';\\n" "$db" "$user"
} >"$d.sql"
"""
    text += _MADE_ONCE + f"{install} >/dev/null\n"
    if scripts:
        text += f"""\
s=$(mktemp -d)
trap 'rm -rf "$s"' EXIT
{server} --datadir="$PWD/$d.new" --skip-networking --socket="$s/s" --pid-file="$s/p" \\
  --init-file="$PWD/$d.sql" 2>"$d.log" &
ask() {{ mysql --no-defaults --socket="$s/s" -uroot --password="$known" "$@"; }}
until ask -e 'SELECT 1' >/dev/null 2>&1; do
  kill -0 $! || {{ cat "$d.log" >&2; exit 1; }}
  sleep 0.2
done
for file in {scripts}; do
  case $file in
    *.sql) ask $db <"$file" ;;
    *.sql.gz) gunzip -c "$file" | ask $db ;;
  esac
done
kill $!
wait $! || :
"""
    return text + 'mv "$d.new" "$d"\n'


def mongo(place: DataPlace, program: str, scripts: str) -> str:
    """Makes the user that the variables name, by a server that nobody but `mongosh` can reach.

    `scripts` are the files as a shell has them, of which *.js and *.sh run once, empty for none.
    """
    text = _begin(place) + _MADE_ONCE
    text += f"""\
for each in USERNAME PASSWORD; do
  eval "file=\\$MONGO_INITDB_ROOT_${{each}}_FILE"
  [ -z "$file" ] || export "MONGO_INITDB_ROOT_$each=$(cat "$file")"
done
mkdir "$d.new"
s=$(mktemp -d)
{program} --dbpath "$d.new" --bind_ip "$s/only.sock" --unixSocketPrefix "$s" >"$s/log" 2>&1 &
trap 'kill $! 2>/dev/null || :; rm -rf "$s"' EXIT
at=mongodb://$(printf %s "$s/mongodb-27017.sock" | sed 's#/#%2F#g')
until mongosh --quiet "$at/admin" --eval 'db.runCommand({{ping: 1}})' >/dev/null 2>&1; do
  kill -0 $! || {{ cat "$s/log" >&2; exit 1; }}
  sleep 0.2
done
mongosh --quiet "$at/admin" --eval 'db.createUser({{user: process.env.MONGO_INITDB_ROOT_USERNAME,
  pwd: process.env.MONGO_INITDB_ROOT_PASSWORD, roles: ["root"]}})' >/dev/null
"""
    if scripts:
        text += f"""\
for file in {scripts}; do
  case $file in
    *.js) mongosh --quiet "$at/${{MONGO_INITDB_DATABASE:-test}}" "$file" ;;
    *.sh) sh "$file" ;;
  esac
done
"""
    return text + """\
kill $!
wait $! || :
mv "$d.new" "$d"
"""


def rabbitmq(place: DataPlace, management: int, plugins: str) -> str:
    """Writes the configuration: the user and the virtual host that the variables name, and the plugins.

    `management` is the port of the web page, 0 for none; `plugins` is a file that names plugins, empty for none.
    """
    text = _begin(place) + 'mkdir -p "$d"\n{\n  echo \'loopback_users.guest = false\'\n'
    for key, other in (("user", "USERNAME"), ("pass", "PASSWORD"), ("vhost", "VHOST")):
        value = f"${{RABBITMQ_DEFAULT_{key.upper()}:-$RABBITMQ_{other}}}"
        text += f"  [ -z \"{value}\" ] || printf 'default_{key} = %s\\n' \"{value}\"\n"
    if management:
        text += f"  echo 'management.tcp.ip = 127.0.0.1'\n  echo 'management.tcp.port = {management}'\n"
    named = "[rabbitmq_management]." if management else "[]."
    text += '} >"$d/rabbitmq.conf"\n'
    return text + (f'cp {plugins} "$d/plugins"\n' if plugins else f"echo '{named}' >\"$d/plugins\"\n")
