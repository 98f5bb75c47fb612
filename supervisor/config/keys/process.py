"""What a service's processes may do, and what is kept of their output."""

from supervisor.config.forms import program as forms
from supervisor.config.kinds import ACCOUNT, Duration, Flag, Key, Section, Size, Text, Whole
from supervisor.config.spec import LogLimits

_BYTES = 2**62

UNLIMITED = "unlimited"
LIMITS = Section(
    keys=(
        Key("nofile", Whole(16, 2**30, UNLIMITED), "Open files.", also=("open_files", "files", "fds", "minfds")),
        Key(
            "nproc",
            Whole(1, 2**30, UNLIMITED),
            "Processes of the user that the service runs as.",
            also=("processes", "minprocs", "pids"),
            more="All of them count, not only those of the service.",
        ),
        Key(
            "address_space",
            Size(2**20, _BYTES, UNLIMITED),
            "Virtual memory of one process.",
            also=("as", "vmem", "memory"),
            more="A request for more fails.",
        ),
        Key(
            "cpu_time",
            Duration(1.0, UNLIMITED),
            "CPU time of one process, in whole seconds.",
            also=("cpu",),
            more="At its end the process gets `SIGXCPU`, and `SIGKILL` a second later.",
        ),
        Key("file_size", Size(0, _BYTES, UNLIMITED), "The largest file that it may write.", also=("fsize",)),
        Key("core", Size(0, _BYTES, UNLIMITED), "The largest core file.", more="0 for none."),
        Key("stack", Size(2**16, _BYTES, UNLIMITED), "The stack of one process."),
        Key("memlock", Size(0, _BYTES, UNLIMITED), "Memory that it may lock."),
    )
)

LOGGING = Section(
    keys=(
        Key(
            "max_size",
            Size(4096, 1024**4),
            "The largest size of a log file before portsup rotates it.",
            "10MB",
            also=("max_bytes",),
            more="At least `4KB`.",
        ),
        Key("backups", Whole(0, 1000), "How many rotated files portsup keeps.", "5", also=("max_file", "backup_count")),
        Key("redact", Flag(), "Whether portsup replaces secrets in the service's output by `***`.", "true"),
    ),
    of=LogLimits,
)

KEYS = (
    Key(
        "user",
        Text(ACCOUNT, "a user name, or a number", 256, or_number=True, what="name or number"),
        "The user that the program runs as. portsup must be root for that.",
        also=("uid", "run_as", "username"),
        more="Without it: the user of portsup.",
    ),
    Key(
        "group",
        Text(ACCOUNT, "a group name, or a number", 256, or_number=True, what="name or number"),
        "The group that the program runs as. Without it: the group of the user.",
        also=("gid", "groupname"),
    ),
    Key(
        "umask",
        Text(r"0?[0-7]{3}", "three octal digits, such as 022", what="three octal digits"),
        "The permissions that files created by the program do not get.",
        form=forms.UMASK,
    ),
    Key(
        "memory_limit",
        Size(2**20, _BYTES),
        "The most memory that the processes of the service may use together. If they use more, portsup restarts it.",
        also=("mem_limit", "max_memory", "max_memory_restart", "memory_max"),
        is_live=True,
    ),
    Key(
        "memory_cost",
        Size(2**20, _BYTES),
        "The memory that the service takes of the `budget` while it runs.",
        also=("mem_cost", "memory_reservation", "cost"),
        is_live=True,
    ),
    Key(
        "gpu_memory_cost",
        Size(2**20, _BYTES),
        "The memory of graphics processors that the service takes of the `budget` while it runs.",
        also=("vram", "vram_cost", "gpu_memory"),
        is_live=True,
    ),
    Key(
        "limits",
        LIMITS,
        "What each process of the service may use of the machine.",
        also=("ulimits", "rlimits"),
        form=forms.LIMITS,
    ),
    Key(
        "logging",
        LOGGING,
        "How much of the service's output portsup keeps, and whether it hides secrets in it.",
        also=("log", "logs"),
        is_live=True,
    ),
)
