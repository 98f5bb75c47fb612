"""What a service's processes may do, and what is kept of their output."""

from supervisor.config.kinds import (
    ACCOUNT,
    Duration,
    Flag,
    Key,
    Section,
    Size,
    Text,
    Whole,
)

_BYTES = 2**62

LIMITS = Section(
    keys=(
        Key("nofile", Whole(16, 2**30), "Open files.", also=("open_files", "files", "fds", "minfds")),
        Key("nproc", Whole(1, 2**30), "Processes of the user that it runs as.", also=("processes", "minprocs", "pids")),
        Key("address_space", Size(2**20, _BYTES), "Virtual memory of one process.", also=("as", "vmem", "memory")),
        Key("cpu_time", Duration(1.0), "CPU time of one process, in whole seconds.", also=("cpu",)),
        Key("file_size", Size(0, _BYTES), "The largest file it may write.", also=("fsize",)),
        Key("core", Size(0, _BYTES), "The largest core file."),
        Key("stack", Size(2**16, _BYTES), "The stack of one process."),
        Key("memlock", Size(0, _BYTES), "Memory that is locked."),
    )
)

LOGGING = Section(
    keys=(
        Key(
            "max_size",
            Size(4096, 1024**4),
            "A log file that grows beyond this is rotated.",
            "10MB",
            also=("max_bytes",),
        ),
        Key(
            "backups",
            Whole(0, 1000),
            "Rotated files that are kept.",
            "5",
            also=("max_file", "backup_count"),
        ),
        Key("redact", Flag(), "Whether secrets in the service's output are replaced by `***`.", "true"),
    )
)

KEYS = (
    Key(
        "user",
        Text(ACCOUNT, "a user name, or a number", 256, or_number=True),
        "The user that the program runs as; portsup has to be root for that.",
        also=("uid", "run_as", "username"),
    ),
    Key(
        "group",
        Text(ACCOUNT, "a group name, or a number", 256, or_number=True),
        "The group that the program runs as; that of the user if left out.",
        also=("gid", "groupname"),
    ),
    Key(
        "umask",
        Text(r"0?[0-7]{3}", "three octal digits, such as 022"),
        "The permissions that files it makes do not get.",
    ),
    Key(
        "memory_limit",
        Size(2**20, _BYTES),
        "A service whose processes have more memory than this together is started again.",
        also=("mem_limit", "max_memory", "max_memory_restart", "memory_max"),
    ),
    Key("limits", LIMITS, "What each of its processes may use of the machine.", also=("ulimits", "rlimits")),
    Key(
        "logging",
        LOGGING,
        "How much of the service's output is kept, and whether secrets are hidden in it.",
        also=("log", "logs"),
    ),
)
