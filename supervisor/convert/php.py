"""PHP-FPM of an image, by the one of this machine."""

from supervisor.convert import server_scripts
from supervisor.convert.draft import Filled
from supervisor.convert.server import HERE, Server, Wanted

_PLACE = "/var/www/html"  # of the sources, in the image


def fpm(wanted: Wanted) -> Server | None:
    """The image `php` with FPM in its tag, its pool of processes on the port of portsup."""
    if "fpm" not in wanted.image.partition(":")[2] or wanted.options:
        return None
    versions = sorted(wanted.around.matching("/usr/sbin/php-fpm*"))
    program = wanted.program("php-fpm") or next(reversed(versions), "")
    if not program:
        return None
    inside = str(wanted.given.get("working_dir") or wanted.place.image.working_dir or _PLACE)
    where = wanted.outside(inside) or wanted.outside(_PLACE)
    folder = f"chdir = {where if where.startswith('/') else f'$PWD/{where[2:]}'}\n" if where else ""
    root = "user = root\n" if wanted.around.is_root else ""
    script = server_scripts.folder(wanted.data)
    script += f"""\
cat >"$d/fpm.conf" <<END
[global]
error_log = /dev/stderr
[www]
listen = {HERE}:$PORT
{root}{folder}pm = dynamic
pm.max_children = 5
pm.start_servers = 2
pm.min_spare_servers = 1
pm.max_spare_servers = 3
clear_env = no
catch_workers_output = yes
END
"""
    as_root = ["-R"] if wanted.around.is_root else []
    file = Filled(f"{wanted.data.data}/fpm.conf")
    server = Server([program, "-F", "-O", *as_root, "-y", file], 9000, script)
    server.stop_signal = "SIGQUIT"
    return server
