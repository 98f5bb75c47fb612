"""The rows about what runs, and for the stack as a whole."""

from supervisor.export.table.fates import (
    FIXED,
    INSIDE,
    KEPT,
    ONCE,
    WRITTEN_OUT,
    Row,
    changed,
    has_group_alone,
    has_named_user,
    has_secrets,
    has_spares,
    kept,
    lost,
    row,
    says_loopback,
    tells_loopback,
    unneeded,
)

_LOOPBACK = "127.0.0.1 and localhost in it are the container itself; only addresses with `{port:NAME}` are followed"
_NO_POOL = "only the first port is used, and nobody keeps it or its spares; on another one the service would not start"

ROWS: tuple[Row, ...] = (
    row("name", KEPT, KEPT, KEPT, KEPT),
    row("instances.stride", *(unneeded("there is one instance; a second needs other ports"),) * 4),
    row("ports.strict", FIXED, FIXED, FIXED, FIXED),
    row("engine.ray.address engine.ray.lease engine.ray.grace", *(unneeded("it is about a cluster of Ray"),) * 4),
    row(
        "place.cpus place.gpus place.labels place.node place.spread expose",
        *(unneeded("it is about a cluster of Ray, and changes nothing on one machine"),) * 4,
    ),
    row(
        "render.template render.to render.on_change.command render.on_change.timeout render.on_change.signal.service "
        "render.on_change.signal.signal",
        *(lost("no file is rendered: put what portsup wrote, or a template of your own, where it is read"),) * 4,
    ),
    row("names.port names.https", *(lost("no service has a name: use its port, or a proxy of that machine"),) * 4),
    row("description", KEPT, KEPT, KEPT, KEPT),
    row("command", KEPT, *(changed(_LOOPBACK, says_loopback),) * 3),
    row("environment", KEPT, *(changed(_LOOPBACK, tells_loopback),) * 3),
    row("extends.file extends.service", ONCE, ONCE, ONCE, ONCE),
    row(
        "pool pool.base pool.size",
        changed(_NO_POOL, has_spares),
        changed("only the first port: nobody else has ports in its container", has_spares),
        changed("only the first port: nobody else has ports in its container", has_spares),
        changed("only the first port: nobody else has ports in its pod", has_spares),
    ),
    row("port_env", KEPT, KEPT, KEPT, KEPT),
    row("fetch_url", *(unneeded("only `up` and `doctor` print it"),) * 4),
    row("env_file.path env_file.required", WRITTEN_OUT, WRITTEN_OUT, WRITTEN_OUT, WRITTEN_OUT),
    row("working_dir", KEPT, *(kept("the same place below the directory of the image"),) * 3),
    row("stdin", lost("the program reads the end of its input at once"), INSIDE, KEPT, INSIDE),
    row(
        "user group",
        changed("only with `--system`: your own systemd runs everything as you"),
        changed("`group` without `user`: portsup changes to it, and must be root in the image", has_group_alone),
        changed("`group` without `user` is that of root in the container", has_group_alone),
        changed(
            "only numbers; for a name, or a group without `user`, portsup changes itself, and must be root there",
            has_named_user,
        ),
    ),
    row("umask", KEPT, INSIDE, lost("it is that of the image"), INSIDE),
    row(
        "memory_limit",
        changed("the kernel ends what uses more"),
        INSIDE,
        changed("the kernel ends what uses more"),
        INSIDE,
    ),
    row("limits.address_space", KEPT, INSIDE, lost("engines do not take it"), INSIDE),
    row(
        "limits.nofile limits.nproc limits.cpu_time limits.file_size limits.core limits.stack limits.memlock",
        KEPT,
        INSIDE,
        KEPT,
        INSIDE,
    ),
    row(
        "logging.max_size logging.backups",
        changed("the journal has limits of its own, journald.conf(5)"),
        INSIDE,
        KEPT,
        INSIDE,
    ),
    row(
        "logging.redact",
        lost("secrets that a program prints are in the journal", has_secrets),
        INSIDE,
        lost("secrets that a program prints are in its log", has_secrets),
        INSIDE,
    ),
)
