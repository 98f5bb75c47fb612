"""What `doctor` has found, in words: each finding, and its remedy if it needs one."""

from collections.abc import Sequence

from supervisor.core.instance import Overlap
from supervisor.words.enumeration import counted
from supervisor.words.leftovers import of
from supervisor.words.overlaps import overlap

Words = tuple[str, str]

NO_OTHER_PACKAGE = "no other package here is imported as `supervisor`"
QUEUES_BY_BPF = "services keep their own sockets, and queues move by a BPF program"
QUEUES_BY_SYSCTL = "services keep their own sockets, and queues move (tcp_migrate_req is 1)"
QUEUES_STAY: Words = (
    "services keep their ports; from its second process on, a service gets the old socket in place of its own; "
    "while it binds a dual-stack `[::]`, a program with SO_REUSEADDR can join, which portsup notices",
    "`sudo sysctl -w net.ipv4.tcp_migrate_req=1` lets each process keep its own, and nobody else in "
    "(Linux 5.14 or newer)",
)
BOTH_FAMILIES = "ports are held on IPv4 and IPv6"
NULL = "`/dev/null` takes what nobody reads"
WATCHES = "lock files can be watched"
NEVER_WATCHES = "portsup looks at lock files every 10 s on this system: it sees a lost lock after that time at most"
NO_WATCHES: Words = (
    "changes of lock files cannot be watched here: portsup sees a lost lock after 10 s at most",
    "`sysctl fs.inotify.max_user_instances=512`, or end programs that watch files",
)
NO_FILE: Words = ("there is no services.yaml here", "`portsup init` writes one")
WHERE = "`portsup config check` shows where"
NOTHING_LEFT = "ended runs have left nothing behind"


def other_package(version: str) -> Words:
    """The environment of portsup has supervisord, too."""
    what = f"the package `supervisor` {version} (supervisord) is installed in this environment"
    remedy = "install each in an environment of its own: `pipx install portsup`"
    return f"{what}, and has the same import name", remedy


def no_handoff(why: str) -> Words:
    """The machine does not allow the handoff."""
    remedy = "needs Linux 5.9 on x86-64 or aarch64, and a container that allows seccomp; services run without it, too"
    return f"ports cannot be handed over to services: {why}", remedy


def no_ipv6(why: str | None) -> str:
    """There is no IPv6."""
    return f"there is no IPv6 here ({why}): portsup holds ports on IPv4 alone, which is all that there is"


def descriptors(limit: int, services: int, need: int) -> Words:
    """How many files may be open, and how many are needed."""
    remedy = "raise the hard limit: `ulimit -Hn`, limits.conf(5), LimitNOFILE="
    who = counted(services, "service needs", "services need")
    return f"a process may have {limit} files open; {who} about {need}", remedy


def not_writable(name: str, path: str, there: str, variable: str) -> Words:
    """A directory cannot be made."""
    what = f"the {name} directory `{path}` cannot be used: `{there}` is not writable"
    return what, f"set {variable} to a directory of your own"


def full(name: str, path: str, free: int) -> Words:
    """The disk of a directory is full; `free` in bytes."""
    what = f"the file system of the {name} directory `{path}` is full ({free // 1024} KiB are free)"
    return what, "make room there"


def directory(name: str, path: str) -> str:
    """Where a directory is."""
    return f"the {name} directory is `{path}`"


def no_processes(why: str) -> str:
    """The processes of this machine cannot be seen."""
    return f"portsup cannot tell which processes run: {why}"


def elsewhere(stack: str, number: int, whose: str) -> Words:
    """An instance runs where its processes cannot be seen from here."""
    remedy = "`portsup down` and the like reach it; its processes can be seen where it runs"
    return f"{_instance(stack, number)} runs ({whose}): its lock says so", remedy


def clock_set(stack: str, number: int, jump: float) -> Words:
    """The wall clock has jumped since an instance started; `jump` in seconds."""
    where = "forward" if jump > 0 else "back"
    what = f"the clock was set {where} by {abs(jump):.0f} s since {_instance(stack, number)} started"
    return what, "times in its logs before and after do not compare; restarts and timeouts are not affected"


def silent(stack: str, number: int, why: object) -> Words:
    """An instance does not answer."""
    return f"{_instance(stack, number)} does not answer: {why}", "`portsup logs`, or end it"


def stalls(stack: str, number: int, told: str, is_well: bool) -> Words:
    """How long portsup itself kept everybody waiting."""
    remedy = "" if is_well else "`portsup events -n all` has each as `loop stalled`, with what it did"
    return f"{_instance(stack, number)}: {told}", remedy


def orphan(name: str, pid: int, service: str, stack: str) -> Words:
    """A process of a portsup that is gone still runs."""
    what = f"`{name}` (pid {pid}){of(service, stack)} was left behind by a portsup that was killed"
    return what, "`portsup prune` ends it; so does the next `up` of that stack"


def stale_files(count: int, folder: str) -> Words:
    """Files of instances that are gone."""
    what = f"ended runs have left {counted(count, 'file')} in `{folder}`"
    return what, "`portsup prune` removes them; they do no harm"


def record_of_port(port: int, service: str, stack: str) -> str:
    """What such a file is."""
    return f"record of port {port}, of `{service}` in `{stack}`"


def record_of_instance(number: int, stack: str) -> str:
    """The same."""
    return f"record of {_instance(stack, number)}"


def file_of(kind: str, whose: str) -> str:
    """The same, of a socket or an endpoints file."""
    return f"{kind} of `{whose}`"


def unfinished(name: str) -> str:
    """The same, of what a process that was killed had begun to write."""
    return f"unfinished `{name}`"


NOTIFY_SOCKET, CONTROL_SOCKET, ENDPOINTS_FILE = "notify socket", "control socket", "endpoints file"


def next_number(stack: str, number: int) -> str:
    """Which instance the next `up` is."""
    return f"the next `up` in this directory is {_instance(stack, number)}"


def damaged(trouble: str, path: str) -> Words:
    """The file of the numbers cannot be used."""
    return trouble, f"repair `{path}`, or move it away"


def numbers_of_gone(count: int) -> Words:
    """Numbers are kept for folders that are gone."""
    what = f"portsup remembers {counted(count, 'instance number')} for directories that are gone"
    return what, "`portsup prune` forgets them; they do no harm"


def all_free(number: int) -> str:
    """Nobody is on the ports."""
    return f"every port of instance {number} is free"


def no_such_instance(number: int, why: Overlap | None, most: int) -> Words:
    """An instance of that number would not fit."""
    return f"there cannot be an instance {number}: {overlap(why)}", f"take a number up to {most}"


def fitting(most: int, why: Overlap | None) -> Words:
    """How many instances fit."""
    remedy = "" if most > 1 else "a larger `instances: {stride: …}`, or pools that lie closer together"
    return f"{most} instance{'s' if most != 1 else ''} can run side by side; {overlap(why)}", remedy


def privileged(service: str, ports: Sequence[int]) -> Words:
    """Only root may bind these ports."""
    remedy = "take ports from 1024 on, or `sysctl net.ipv4.ip_unprivileged_port_start`"
    return f"`{service}`: only root may bind {_ports(ports)}", remedy


def ephemeral(service: str, ports: Sequence[int], used: range) -> Words:
    """The system gives these ports to outgoing connections."""
    span = f"{used.start}-{used.stop - 1}"
    what = f"`{service}`: any outgoing connection can take {_ports(ports)} (the system uses {span})"
    return what, f"take ports outside of it, or `sysctl net.ipv4.ip_local_reserved_ports={_list(ports)}`"


def reserved(service: str, port: int, by: str) -> Words:
    """Something of the system uses the port."""
    return f"`{service}`: port {port} is used by {by}", "take another port"


def blocked(service: str, ports: Sequence[int], fetch_url: str) -> Words:
    """Clients of the Fetch standard refuse these ports."""
    clients = "browsers (ERR_UNSAFE_PORT) and other clients of the Fetch standard, such as fetch() in Node.js,"
    remedy = f"for them it is at {fetch_url}" if fetch_url else "take another port, or set `fetch_url`"
    return f"`{service}`: {clients} refuse {_ports(ports)}", remedy


def leased_to(service: str, port: int, other: str, stack: str, number: int) -> Words:
    """Another stack has a port of a pool."""
    what = f"`{service}`: port {port} is leased to `{other}` of stack `{stack}` instance {number}"
    return what, "give one of the two stacks other pools"


def taken(service: str, port: int, holder: str) -> Words:
    """Somebody has a port of a pool."""
    return f"`{service}`: port {port} is {holder}", "end that program, or take another port"


def summary(count: int, wrong: int) -> str:
    """How much was looked at, and how much of it is to be known."""
    return f"{counted(count, 'check')}: " + (f"{wrong} with findings" if wrong else "all fine")


def _instance(stack: str, number: int) -> str:
    return f"instance {number} of `{stack}`"


def _ports(ports: Sequence[int]) -> str:
    return f"port{'s' if len(ports) > 1 else ''} {_list(ports, ', ')}"


def _list(ports: Sequence[int], between: str = ",") -> str:
    return between.join(map(str, ports))
