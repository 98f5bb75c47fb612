"""Gets its listening socket in an unusual way, which its argument names, and answers everybody with its pid.

More than 300 lines: each way is a few of them, and they are read side by side.
"""

import array
import contextlib
import ctypes
import fcntl
import itertools
import os
import select
import signal
import socket
import struct
import sys
import threading
import time

PORT = int(os.environ["PORT"])
HERE = ("127.0.0.1", PORT)
SHARED = (socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
EDGE_ONCE = select.EPOLLET | select.EPOLLONESHOT
libc = ctypes.CDLL(None, use_errno=True)


def answer(server: socket.socket) -> None:
    """One client."""
    connection, _ = server.accept()
    connection.sendall(b"%d\n" % os.getpid())
    connection.close()


def serve(server: socket.socket) -> None:
    """Everybody, for good."""
    while True:
        answer(server)


def answer_all(server: socket.socket) -> None:
    """Who waits now; the socket does not block."""
    try:
        while True:
            answer(server)
    except BlockingIOError:
        return


def listening(address: str = "127.0.0.1", *, shared: bool = False, v6_only: bool | None = None) -> socket.socket:
    """A socket that listens in the usual way."""
    server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    if v6_only is not None:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6_only)
    if shared:
        server.setsockopt(*SHARED)
    server.bind((address, PORT))
    server.listen()
    return server


def begin(server: socket.socket) -> None:
    """Bind and listen."""
    server.bind(HERE)
    server.listen()


def say(*words: object) -> None:
    os.write(1, f"{' '.join(map(str, words))}\n".encode())  # at once: several workers say something


def errno_of(descriptor: int, address: bytes, length: int) -> int:
    """What bind(2) says."""
    return ctypes.get_errno() if libc.bind(descriptor, ctypes.create_string_buffer(address, 256), length) else 0


def epoll() -> None:
    server, poll = socket.socket(), select.epoll()
    poll.register(server, select.EPOLLIN)
    begin(server)
    while True:
        poll.poll()
        answer(server)


def epoll_modify() -> None:
    server, poll = socket.socket(), select.epoll()
    server.setblocking(False)
    poll.register(server, select.EPOLLIN | EDGE_ONCE)
    begin(server)
    while True:
        poll.modify(server, select.EPOLLIN | EDGE_ONCE)
        poll.poll()
        answer_all(server)


def epoll_twice() -> None:
    server, first, second = socket.socket(), select.epoll(), select.epoll()
    first.register(server, select.EPOLLIN)
    second.register(server, select.EPOLLIN)
    begin(server)
    while True:
        second.poll()
        first.poll()
        answer(server)


def epoll_duplicate() -> None:
    """One epoll descriptor under two numbers, as tokio has it, that knows the socket under two."""
    server, poll = socket.socket(), select.epoll()
    again = server.dup()
    poll.register(server, select.EPOLLIN)
    poll.register(again, select.EPOLLIN)
    with select.epoll.fromfd(os.dup(poll.fileno())) as other:
        begin(server)
        while True:
            assert sorted(number for number, _ in poll.poll()) == sorted((server.fileno(), again.fileno()))
            other.poll()
            answer(server)


def epoll_child() -> None:
    """A child has the epoll descriptor as well, and the socket."""
    server, poll = socket.socket(), select.epoll()
    poll.register(server, select.EPOLLIN)
    if os.fork() == 0:
        signal.pause()
    begin(server)
    while True:
        poll.poll()
        answer(server)


def signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGIO])
    server = socket.socket()
    fcntl.fcntl(server, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(server, fcntl.F_SETFL, fcntl.fcntl(server, fcntl.F_GETFL) | os.O_ASYNC | os.O_NONBLOCK)
    begin(server)
    while True:
        answer_all(server)
        signal.sigwait([signal.SIGIO])


def duplicate() -> None:
    server = socket.socket()
    other = server.dup()
    server.bind(HERE)
    other.listen()
    serve(other)


def child_listens() -> None:
    server = socket.socket()
    if not os.fork():
        begin(server)
        os._exit(0)
    os.wait()
    serve(server)


def child_binds() -> None:
    server = socket.socket()
    if not os.fork():
        server.bind(HERE)
        os._exit(0)
    os.wait()
    server.listen()
    serve(server)


def parent_binds() -> None:
    """What its child listens on, as Varnish does."""
    server = socket.socket()
    server.bind(HERE)
    if not os.fork():
        server.listen()
        serve(server)
    signal.pause()


def helper_binds() -> None:
    """By a program that gets the socket in a message, as authbind and privilege-separated servers do."""
    server = socket.socket()
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    if not os.fork():
        _, rights, _, _ = theirs.recvmsg(1, 64)
        with socket.socket(fileno=array.array("i", rights[0][2])[0]) as got:
            got.bind(HERE)
        theirs.send(b".")
        os._exit(0)
    ours.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [server.fileno()]))])
    ours.recv(1)
    server.listen()
    serve(server)


def thread_binds() -> None:
    server = socket.socket()
    thread = threading.Thread(target=begin, args=(server,))
    thread.start()
    thread.join()
    serve(server)


def thread_alone() -> None:
    """In a thread with a table of descriptors of its own."""

    def act() -> None:
        libc.unshare(0x400)  # CLONE_FILES
        serve(listening())

    threading.Thread(target=act).start()


def dials() -> None:
    """Connects from the port that it listens on, as libp2p does."""
    server = listening(shared=True)
    for address in ("127.0.0.1", "127.0.0.1", "0.0.0.0"):
        with socket.create_server(("127.0.0.1", 0)) as elsewhere, socket.socket() as dialling:
            dialling.setsockopt(*SHARED)
            dialling.bind((address, PORT))
            dialling.connect(elsewhere.getsockname())
            connection, address = elsewhere.accept()
            say("dialled from", address[1])
            dialling.close()
            say("closed" if connection.recv(1) == b"" else "open")
    serve(server)


def overlaps() -> None:
    """Listens at one address and at every address, each with a socket of its own."""
    servers = [listening(address, shared=True) for address in ("127.0.0.1", "0.0.0.0")]
    while True:
        for ready in select.select(servers, [], [])[0]:
            answer(ready)


def workers_differ() -> None:
    """Two workers, of which one shuts its socket down; the other must not notice."""
    mine = listening(shared=True)
    if not os.fork():
        mine.close()
        server = listening(shared=True)
        server.setblocking(False)
        server.shutdown(socket.SHUT_RDWR)
        say("shut down")
        signal.pause()
    serve(mine)


def workers() -> None:
    for _ in range(4):
        if not os.fork():
            serve(listening(shared=True))
    signal.pause()


def placeholder() -> None:
    """Keeps the port by a socket that is bound and never listens, as Granian does; its workers have their own.

    A worker that ends is replaced.
    """
    with socket.socket() as holder:
        holder.setsockopt(*SHARED)
        holder.bind(HERE)
        for number in itertools.count(1):
            if not os.fork():
                time.sleep(0.3)  # workers that are executed begin later
                server = listening(shared=True)
                say("worker", os.getpid())
                serve(server)
            if number >= int(os.environ.get("WORKERS", "2")):
                os.wait()


def worker_closes() -> None:
    """Two workers, of which the younger closes its socket once it has answered somebody, and lives on."""
    mine = listening(shared=True)
    if not os.fork():
        mine.close()
        with listening(shared=True) as server:
            answer(server)
        say("closed")
        signal.pause()
    serve(mine)


def options() -> None:
    server = socket.socket()
    wanted: list[tuple[int, int, int | bytes]] = [
        (6, 13, b"reno"), (6, 2, 900), (1, 60, 1), (1, 29, 1), (1, 46, 5), (6, 27, 1), (6, 36, 1), (0, 10, 2),
        (0, 13, 1), (0, 12, 1), (0, 21, 1), (6, 9, 1), (6, 23, 16),
    ]  # fmt: skip
    for level, number, value in wanted:
        server.setsockopt(level, number, value)
    read = [(level, number) for level, number, _ in wanted if (level, number) != (6, 2)]  # that one reads otherwise
    before = [server.getsockopt(*each, 16) for each in read]
    begin(server)
    after = [server.getsockopt(*each, 16) for each in read]
    say("kept" if before == after else f"lost {before} {after}")
    serve(server)


def errors() -> None:
    """What the kernel says of calls that are wrong."""
    address = struct.pack("=H", socket.AF_INET) + struct.pack("!H", PORT) + socket.inet_aton("127.0.0.1")
    server = socket.socket()
    found = [errno_of(server.fileno(), address, 200), errno_of(server.fileno(), address, -1)]
    found.append(errno_of(server.fileno(), address, 8))
    server.bind(HERE)
    found.append(errno_of(server.fileno(), address, 16))
    server.listen(-1)
    with socket.socket() as other, socket.socket() as worker:
        found.append(errno_of(other.fileno(), address, 16))
        worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # which the one that listens has not
        found.append(errno_of(worker.fileno(), address, 16))
    say("errors", *found)
    serve(server)


def again() -> None:
    """Closes its listener, and listens with a new one."""
    listening().close()
    serve(listening())


def looks_first() -> None:
    """Tries whether its port is free at other addresses, as development servers do, and listens then."""
    for number, (address, v6_only) in enumerate((("0.0.0.0", None), ("::", True), ("::1", None), ("0.0.0.0", None))):
        if number:
            listening(address, v6_only=v6_only).close()
        else:
            for here in ("127.0.0.1", address):
                with socket.socket() as trial:
                    trial.bind((here, PORT))
    serve(listening())


def looks_long_before() -> None:
    """Looks whether its port is free, as Vite does, and listens once there is a file `go`."""
    for address, v6_only in (("0.0.0.0", None), ("::", True), ("127.0.0.1", None)):
        listening(address, v6_only=v6_only).close()
    say("looked")
    while not os.path.exists("go"):
        time.sleep(0.01)
    say("listens")
    serve(listening())


def falls_at_once() -> None:
    """Ends in the way that `how` names as soon as it has answered its first client, and has listened for a moment."""
    answer(listening())
    if sys.argv[2] == "signal":
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(3)


def looks_and_fails() -> None:
    """Looks whether its port is free, and fails somewhat later."""
    listening().close()
    time.sleep(0.3)
    sys.exit(3)


def moves_if_answered() -> None:
    """Listens on another port if somebody answers on its own, as the `serve` of npm does."""
    with socket.socket() as caller:
        if caller.connect_ex(HERE):
            serve(listening())
    serve(socket.create_server(("127.0.0.1", 0)))


def moves_house() -> None:
    """Each of its processes listens at another address than the last."""
    with contextlib.suppress(FileExistsError):
        os.mkdir("been")
        serve(listening())
    os.rmdir("been")
    serve(listening("0.0.0.0"))


def deaf_once() -> None:
    """Its first process sets what makes its socket deaf, and what nobody can take back."""
    server = listening()
    if not os.path.exists("deaf"):
        nothing = ctypes.create_string_buffer(struct.pack("=HBBI", 0x06, 0, 0, 0))  # a filter that takes nothing
        with contextlib.suppress(PermissionError):  # not for everybody on every kernel
            server.setsockopt(socket.SOL_SOCKET, 26, struct.pack("@HP", 1, ctypes.addressof(nothing)))
            server.setsockopt(socket.SOL_SOCKET, 44, 1)
        server.setsockopt(socket.IPPROTO_IP, 21, 255)
        open("deaf", "w").close()
        say("deaf")
        signal.pause()
    serve(server)


def shuts_down() -> None:
    """Shuts its listener down as soon as it is asked to end, and takes its time then."""
    server = listening()

    def end(*_: object) -> None:
        server.shutdown(socket.SHUT_RDWR)
        time.sleep(0.3)  # what a program may need to finish what it has begun
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    while True:
        try:
            answer(server)
        except OSError:
            signal.pause()


def wildcards() -> None:
    """Of both families, each with a socket of its own, as redis does without a `bind`."""
    servers = [socket.socket(socket.AF_INET), socket.socket(socket.AF_INET6)]
    servers[1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    servers[0].bind(("0.0.0.0", PORT))
    servers[1].bind(("::", PORT))
    for server in servers:
        server.listen()
    while True:
        for ready in select.select(servers, [], [])[0]:
            answer(ready)


def one_late() -> None:
    """At two addresses; who takes over from another process listens at the second one once there is a file `go`.

    The other one, which is asked to end meanwhile, ends after that.
    """

    def is_there(name: str) -> bool:
        return os.path.exists(f"{name}-of-{PORT}")

    def note(name: str) -> None:
        open(f"{name}-of-{PORT}", "w").close()

    def end(*_: object) -> None:
        note("asked")
        while not is_there("second"):
            time.sleep(0.005)
        os._exit(0)

    servers, is_successor = [listening()], is_there("first")
    if not is_successor:
        signal.signal(signal.SIGTERM, end)
        note("first")
    while is_successor and not is_there("go"):
        time.sleep(0.005)
    servers.append(listening("::1"))
    if is_successor:
        note("second")
    while True:
        for ready in select.select(servers, [], [])[0]:
            answer(ready)


def mptcp() -> None:
    server, poll = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262), select.epoll()
    poll.register(server, select.EPOLLIN)
    begin(server)
    while True:
        poll.poll()
        answer(server)


def unbound() -> None:
    """Listens on a socket that it has never bound, beside its own."""
    server = listening()
    other = socket.socket()
    try:
        other.listen()
        say("unbound", other.getsockname()[1])
    except OSError as error:
        say("unbound", error.errno)
    serve(server)


ADDRESSES = {
    "wildcard": ("0.0.0.0", None), "v6": ("::1", None), "dual": ("::", False), "v6-wildcard": ("::", True),
    "mapped": ("::ffff:127.0.0.1", False), "local": ("fd00::1", None), "global": ("2001:db8::5", None),
    "other": ("10.77.0.1", None), "plain": ("127.0.0.1", None),
}  # fmt: skip
way = sys.argv[1]
if way in ADDRESSES:
    where, only = ADDRESSES[way]
    serve(listening(where, v6_only=only))
else:
    globals()[way.replace("-", "_")]()
