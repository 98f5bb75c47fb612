"""Binds and listens in the way that its argument names, prints what came of each bind, and waits."""

import contextlib
import json
import os
import signal
import socket
import sys

port = int(os.environ["PORT"])
told: dict[str, object] = {}
kept: list[socket.socket] = []


def listen(address: str, number: int = port, *, name: str = "", **options: bool) -> None:
    """Listens there, and notes the port or the error."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    sock.setblocking(not options.get("nonblocking", False))
    sock.set_inheritable(options.get("inheritable", False))
    if options.get("shared"):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if options.get("nodelay"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if "v6_only" in options:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, options["v6_only"])
    try:
        sock.bind((address, number))
        sock.listen(7)
        told[name or address] = {
            "port": sock.getsockname()[1],
            "address": sock.getsockname()[0],
            "blocking": os.get_blocking(sock.fileno()),
            "inheritable": sock.get_inheritable(),
            "shared": bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)),
            "nodelay": bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)),
        }
        if options.get("closed"):
            sock.close()
        else:
            kept.append(sock)
    except OSError as error:
        told[name or address] = error.errno


match sys.argv[1]:
    case "families":
        listen("127.0.0.1")
        listen("::1")
    case "wildcards":
        listen("0.0.0.0")
        listen("::", v6_only=True)
    case "dual":
        listen("::", v6_only=False)
    case "mapped":
        listen("::ffff:127.0.0.1", v6_only=False)
    case "options":
        listen("127.0.0.1", nonblocking=True, inheritable=True, shared=True, nodelay=True)
        listen("127.0.0.1", name="again", shared=True)
    case "twice":
        listen("127.0.0.1", name="first")
        listen("127.0.0.1", name="second")
        listen("0.0.0.0", name="wildcard")
    case "probes":
        listen("0.0.0.0", name="probe", closed=True)
        listen("127.0.0.1", name="real")
    case "others":
        listen("127.0.0.1")
        listen("127.0.0.1", int(sys.argv[2]), name="other")
        listen("127.0.0.1", 0, name="any")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", port))
            told["udp"] = udp.getsockname()[1]
        with socket.socket(socket.AF_UNIX) as unix:
            unix.bind(f"\0test-{port}")
            told["unix"] = unix.getsockname()[1:] == b"test-%d" % port
        listen("192.0.2.1", name="not ours")
    case "hard":
        listen("127.0.0.1", int(sys.argv[2]), name="hard")
        listen("::1", int(sys.argv[2]), name="hard6")
    case "thread":
        import threading

        thread = threading.Thread(target=listen, args=("127.0.0.1",))
        thread.start()
        thread.join()
    case "worker":
        if (pid := os.fork()) == 0:
            listen("127.0.0.1", name="worker")
            os._exit(0)
        os.waitpid(pid, 0)
        listen("127.0.0.1", name="next worker")
print(json.dumps(told), flush=True)
while kept:
    with contextlib.suppress(BlockingIOError):
        connection, _ = kept[0].accept()
        connection.close()
signal.pause()
