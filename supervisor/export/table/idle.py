"""The rows about a service that is stopped because nobody uses it, and about one of several processes."""

from supervisor.export.table.fates import INSIDE, Row, is_scaled_with_a_port, lost, row

ROWS: tuple[Row, ...] = (
    row(
        "idle_stop idle_min_up idle_when.cpu_below idle_check.exec idle_check.timeout",
        lost("it runs until somebody stops it"),
        INSIDE,
        lost("it runs until somebody stops it"),
        INSIDE,
    ),
    row(
        "notify.on notify.to notify.run notify.every",
        *(lost("portsup sends no notices there: use what watches the machine"),) * 4,
    ),
    row(
        "budget.memory budget.gpu_memory budget.evict memory_cost gpu_memory_cost",
        *(lost("no service is stopped for another one: all run side by side"),) * 4,
    ),
    row(
        "replicas min_ready",
        lost("one process runs"),
        INSIDE,
        lost(
            "only one container can have the port, with one process; without `pool` it is `scale`",
            is_scaled_with_a_port,
        ),
        INSIDE,
    ),
)
