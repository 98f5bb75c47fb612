"""The rows about what comes first, and when a service is ready and healthy."""

from supervisor.config.spec import Condition, ProbeKind
from supervisor.export.model import Fate
from supervisor.export.table.fates import (
    INSIDE,
    KEPT,
    Cell,
    Row,
    changed,
    checks_twice,
    has_check,
    has_no_timer,
    has_schedule,
    has_stdio,
    has_watch,
    is_queued,
    is_ready_by,
    is_restarted_with,
    kept,
    lost,
    never,
    row,
    starts_with_the_target,
    waits_for,
)

NO_CHECK = Cell(Fate.LOST, "as all of `healthcheck`", never)
_HTTP = "`curl` sends a GET and accepts every status below 400; it does not check this"
_POD = "checked by portsup in the container, which restarts the service"

ROWS: tuple[Row, ...] = (
    row(
        "depends_on.condition",
        changed("`started`: both start at the same time", waits_for(Condition.STARTED)),
        changed("`started`: both start at the same time", waits_for(Condition.STARTED)),
        changed("`completed`: only a success counts", waits_for(Condition.COMPLETED)),
        changed(
            "a pod waits for the Services of `ready` and `listening`; nothing waits for `started` or the end of a job",
            waits_for(Condition.STARTED, Condition.COMPLETED, Condition.COMPLETED_OK),
        ),
    ),
    row(
        "depends_on.restart",
        changed("only after `systemctl restart`, also where it is not asked for; not after a crash", is_restarted_with),
        changed("only after `systemctl restart`, also where it is not asked for; not after a crash", is_restarted_with),
        KEPT,
        lost("nothing restarts a pod after another one", is_restarted_with),
    ),
    row(
        "profiles",
        changed("not started by the target, unless the profile was named with `--profile`"),
        changed("not started by itself, unless the profile was named with `--profile`"),
        KEPT,
        changed("`replicas: 0`, unless the profile was named with `--profile`"),
    ),
    row("autostart", KEPT, KEPT, changed("`scale: 0`; another service that needs it does not start it"), KEPT),
    row(
        "start",
        changed("it starts with the target, unless `handoff: systemd` gives it a `.socket`", starts_with_the_target),
        INSIDE,
        lost("it starts with the others"),
        changed("the kubelet is the first client that connects, so it starts at once"),
    ),
    row(
        "start_timeout",
        changed("the first client waits until the program answers"),
        INSIDE,
        lost("nobody waits for a start"),
        INSIDE,
    ),
    row(
        "schedule.timezone schedule.jitter schedule.catch_up",
        kept("by a `.timer`"),
        INSIDE,
        lost("Compose has no clock, so it does not run: call `docker compose run --rm NAME` on time", has_schedule),
        INSIDE,
    ),
    row(
        "schedule.overlap",
        changed("a run that is due while another one goes on is left out", is_queued),
        INSIDE,
        lost("Compose has no clock, so it does not run: call `docker compose run --rm NAME` on time", has_schedule),
        INSIDE,
    ),
    row(
        "schedule.cron",
        lost("a timer cannot say `L`, `W` or `#`, so it does not run: call `systemctl start` on time", has_no_timer),
        INSIDE,
        lost("Compose has no clock, so it does not run: call `docker compose run --rm NAME` on time", has_schedule),
        INSIDE,
    ),
    row(
        "watch.paths watch.ignore watch.settle watch.action watch.action.run",
        lost("nothing restarts it when files change", has_watch),
        lost("files in an image do not change", has_watch),
        lost("`develop.watch` of Compose builds images; write it yourself", has_watch),
        lost("files in an image do not change", has_watch),
    ),
    row(
        "stdio.mcp stdio.share stdio.max",
        lost("the program itself is started, and nobody speaks with it", has_stdio),
        INSIDE,
        lost("the program itself is started, and nobody speaks with it", has_stdio),
        INSIDE,
    ),
    row("one_shot", KEPT, KEPT, KEPT, KEPT),
    row("ready.listening ready.tcp", KEPT, INSIDE, kept("the image needs `bash` for that"), INSIDE),
    row("ready.started ready.exec", KEPT, INSIDE, KEPT, INSIDE),
    row("ready.http", KEPT, INSIDE, changed("the image needs `curl` for that", is_ready_by(ProbeKind.HTTP)), INSIDE),
    row(
        "ready.log",
        lost("ready once it is started: systemd does not read the output", is_ready_by(ProbeKind.LOG)),
        INSIDE,
        lost("ready once it is started: compose does not read the output", is_ready_by(ProbeKind.LOG)),
        INSIDE,
    ),
    row(
        "ready.notify",
        KEPT,
        INSIDE,
        lost("ready once it is started: nobody hears it", is_ready_by(ProbeKind.NOTIFY)),
        INSIDE,
    ),
    row(
        "ready.timeout",
        KEPT,
        INSIDE,
        kept("`start_period`; a container that is not healthy by then is not restarted"),
        INSIDE,
    ),
    row("ready.http.path ready.http.method ready.http.headers ready.http.contains", KEPT, INSIDE, KEPT, INSIDE),
    row("ready.http.status ready.http.matches", lost(_HTTP), INSIDE, lost(_HTTP), INSIDE),
    row(
        "healthcheck.http healthcheck.tcp healthcheck.exec healthcheck.interval healthcheck.timeout "
        "healthcheck.retries",
        lost(
            "systemd asks nobody whether a service is well: one that hangs stays as it is",
            has_check,
        ),
        INSIDE,
        changed("an unhealthy container is shown as such, and not restarted", has_check),
        Cell(Fate.KEPT, _POD),
    ),
    row(
        "healthcheck.http.path healthcheck.http.method healthcheck.http.headers healthcheck.http.contains",
        NO_CHECK,
        INSIDE,
        changed("a container has one check, and `ready` is it", checks_twice),
        INSIDE,
    ),
    row(
        "healthcheck.http.status healthcheck.http.matches",
        NO_CHECK,
        INSIDE,
        lost(_HTTP),
        INSIDE,
    ),
)
