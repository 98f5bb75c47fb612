"""How services reach each other: the names that they had as hosts, and the ports that others know them by."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from supervisor.config import interpolate, placeholders
from supervisor.config.secrets import secret_values
from supervisor.convert import bare_names, side_commands
from supervisor.convert.draft import Draft, Filled
from supervisor.convert.service_texts import texts

HERE = "127.0.0.1"
_STARTS = r"(?P<before>^|//|[@,;=\s'\"(\[]|:-|/dev/tcp/)"
_DEFAULTS = {
    "http": 80, "https": 443, "ws": 80, "wss": 443, "postgres": 5432, "postgresql": 5432, "mysql": 3306,
    "mariadb": 3306, "redis": 6379, "rediss": 6379, "valkey": 6379, "mongodb": 27017, "amqp": 5672, "nats": 4222,
    "memcached": 11211, "kafka": 9092, "mqtt": 1883, "smtp": 25, "ftp": 21, "grpc": 50051, "clickhouse": 8123,
}  # fmt: skip
_VARIABLE = r"(?P<reference>\$?\$(?:\w+|\{\w+(?::?[-?](?P<default>[^{}]*))?\}))"
_LOCAL = re.compile(
    r"(?P<host>(?<![\w.-])(?:localhost|127\.0\.0\.1|0\.0\.0\.0)|\[::1?\]):"
    r"(?P<variable>\$\{\w+:?-)?(?P<port>\d{2,5})(?(variable)\}|(?![\d.]))",
    re.ASCII,
)


def learn(services: Sequence[Draft]) -> None:
    """Give services whose port nothing names the one that a neighbour asks them on."""
    for service in services:
        if not service.hosts or service.ports or service.inner or service.gets_port:
            continue
        for other in services:
            for text in texts(other):
                for host in service.hosts:
                    found = re.search(rf"{_STARTS}{re.escape(host)}[:/](?P<port>\d{{2,5}})(?!\d)", text.value)
                    if found and int(found["port"]) < 65536 and not service.inner and other is not service:
                        service.inner = [int(found["port"])]
                        service.notes.append(f"`{other.name}` asks it on {service.inner[0]}")


def mentioned(services: Sequence[Draft]) -> set[int]:
    """The ports that services bind beside their own, and those that they ask this machine on."""
    found = {number for each in services for number in each.further}
    for service in services:
        for text in texts(service):
            found |= {int(match["port"]) for match in _LOCAL.finditer(text.value)}
    return found


def rewrite(services: Sequence[Draft], absent: Sequence[Draft]) -> None:
    """Put the addresses of this machine in place of names in a network of containers, and of numbers that may move."""
    names = {host: each for each in (*absent, *services) for host in each.hosts}
    gone = {id(each) for each in absent}
    doors: dict[int, list[Draft]] = {}
    for each in services:
        if each.has_pool and each.ports:
            doors.setdefault(each.ports[0], []).append(each)
    for number, several in doors.items():  # of those that want one port, clients reach who has it
        doors[number] = [each for each in several if number in each.fields.get("pool", ())] or several
    for service in services:
        own = {*service.ports[:1], *service.inner} if service.has_pool else set()
        for text in list(texts(service)):
            value = _at_home(_template(text.value), service)
            value = _local(value, service, own, doors)
            for host, other in names.items():
                if host not in value:
                    continue
                changed = _named(value, text.variable, host, other, other is service)
                if changed is None:
                    continue
                value = changed
                _say(service, host, other, text.where, id(other) in gone, value)
                if text.variable and not _sibling(service, text.variable, other) and value == HERE:
                    _say_port(service, host, other)
            if value != _template(text.value):
                text.put(Filled(value))
        _pairs_of_words(service, names, gone)
        side_commands.ask(service, doors)
        _numbers(service, own, doors)
        _of_files(service, names, gone)


def _numbers(service: Draft, own: set[int], doors: dict[int, list[Draft]]) -> None:
    """The port of a pool in a variable that is nothing but its number: `API_PORT=3000`."""
    for name, value in list(service.fields.get("environment", {}).items()):
        if not (isinstance(value, str) and name.upper().endswith("PORT") and value.isdecimal()):
            continue
        others = [each for each in doors.get(int(value[:6]), ()) if each is not service]
        about = name.upper().removesuffix("PORT").strip("_")
        if int(value[:6]) in own:
            service.environment[name] = Filled("{port}")
        elif len(others) == 1 and about == re.sub(r"\W", "_", others[0].name.upper()):
            service.environment[name] = Filled(f"{{port:{others[0].name}}}")


def _of_files(service: Draft, names: dict[str, Draft], gone: set[int]) -> None:
    """What a file of variables says of a neighbour, said anew where it holds no secret."""
    for variable, value in service.in_files.items():
        if variable in service.environment:
            continue
        for host, other in names.items():
            changed = _named(_template(value), variable, host, other, other is service) if host in value else None
            if changed is None:
                continue
            where = f"the variable `{variable}` of its `env_file`"
            if any(secret_values(variable, value)):
                why = "it was its name in the containers' network, and the value is a secret"
                service.leave(f"`{host}` in {where}", why, f"write {HERE} in its place there")
            else:
                service.environment[variable] = Filled(changed)
                if id(other) in gone:
                    _say(service, host, other, where, True, changed)
                else:
                    service.notes.append(f"`{host}` in {where}: {HERE} is written")
                service.in_files[variable] = value
                _sibling_of_files(service, variable, other)
            break


def _sibling_of_files(service: Draft, variable: str, other: Draft) -> None:
    for name in {re.sub(r"HOST(?:NAME)?|SERVER|ADDR(?:ESS)?", "PORT", variable)} - {variable}:
        if name in service.in_files and name not in service.environment:
            service.environment[name] = service.in_files[name]
            _sibling(service, variable, other)


def _template(text: str) -> str:
    return text if isinstance(text, Filled) else placeholders.literally(interpolate.literally(text))


def _at_home(value: str, service: Draft) -> str:
    """`value` with the address of this machine where it has a name in containers."""
    for name in service.here:
        if name in value:
            value = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", HERE, value)
            note = f"`{name}` is this machine: {HERE} is written"
            if note not in service.notes:
                service.notes.append(note)
    return value


def _local(value: str, service: Draft, own: set[int], doors: dict[int, list[Draft]]) -> str:
    def port(match: re.Match[str]) -> str:
        number = int(match["port"])
        others = [each for each in doors.get(number, ()) if each is not service]
        if number in own:
            return f"{match['host']}:{{port}}"
        if len(others) != 1 or number in service.further:
            return match[0]
        note = f"`{match[0]}` is where `{others[0].name}` listens: `{{port:{others[0].name}}}` follows it"
        if note not in service.notes:
            service.notes.append(note)
        return f"{match['host']}:{{port:{others[0].name}}}"

    return _LOCAL.sub(port, value)


def _port_of(other: Draft, number: int | None, is_own: bool) -> str:
    """What to write for port `number` of a service; for None that of its pool."""
    if other.has_pool and (number is None or number in (*other.inner, *other.ports)):
        return "{port}" if is_own else f"{{port:{other.name}}}"
    if number is None:
        return str((other.inner or other.ports or [0])[0] or "")
    if not other.has_pool and number in other.inner and other.ports:
        return str(other.ports[0])  # it stays in its container, and is published there
    return str(number)


def _named(value: str, variable: str, host: str, other: Draft, is_own: bool) -> str | None:
    """`value` with the address in place of `host`; None where it is not named as a host."""
    name = re.escape(host)

    def with_port(match: re.Match[str]) -> str:
        number = int(match["port"])
        return (
            f"{match['before']}{HERE}{match['sign']}{_port_of(other, number, is_own)}" if number < 65536 else match[0]
        )

    def of_scheme(match: re.Match[str]) -> str:
        wanted = _DEFAULTS.get(match["scheme"].lower().partition("+")[0])
        found = _port_of(other, wanted, is_own)
        return f"{match['scheme']}://{match['user'] or ''}{HERE}" + (f":{found}" if found else "")

    def of_port(match: re.Match[str]) -> str:
        number = int(match[2])
        return match[1] + _port_of(other, number, is_own) if number in (*other.inner, *other.ports) else match[0]

    if re.fullmatch(rf"(?:\$\{{\w+:?-)?{name}\}}?", value, re.ASCII):
        return value.replace(host, HERE) if variable and bare_names.is_host(variable, is_own) else None
    def with_reference(match: re.Match[str]) -> str:
        default = match["default"] or ""
        number = int(default) if default.isdecimal() else None
        if (number is not None and number not in (*other.inner, *other.ports)) or not other.has_pool:
            return f"{match['before']}{HERE}:{match['reference']}"
        return f"{match['before']}{HERE}:{_port_of(other, number, is_own)}"

    changed = re.sub(
        rf"{_STARTS}{name}(?P<sign>:|(?<=/dev/tcp/{name})/|\s(?=\d\d))(?P<port>\d{{1,5}})(?!\d)", with_port, value
    )
    changed = re.sub(rf"{_STARTS}{name}:{_VARIABLE}", with_reference, changed, flags=re.ASCII)
    changed = re.sub(
        rf"(?P<scheme>[\w+]+)://(?P<user>[^\s@/]*@)?{name}(?=[/?'\",;\s}}]|$)", of_scheme, changed, flags=re.ASCII
    )
    of_option = re.sub(rf"((?<![\w-])(?:-h|[\w-]*host(?:name)?)[= ]['\"]?){name}(?![\w.-])", rf"\g<1>{HERE}", changed)
    if of_option != changed:
        changed = re.sub(r"((?<![\w-])(?:-p|[\w-]*port)[= ]['\"]?)(\d{2,5})(?!\d)", of_port, of_option)
    changed = re.sub(rf"(@){name}(?=[/?\s]|$)", rf"\g<1>{HERE}", changed)
    return changed if changed != value else None


def _pairs_of_words(service: Draft, names: dict[str, Draft], gone: set[int]) -> None:
    """`--db-host store`, and `nc -z store 80`, as words of a list."""
    for owner, key in ((service.fields, "command"), *_checks(service)):
        words = owner.get(key)
        if not isinstance(words, list):
            continue
        for at, word in enumerate(words):
            if word not in names or at == 0:
                continue
            other, following = names[word], words[at + 1] if at + 1 < len(words) else ""
            is_option = re.fullmatch(r"-h|--?[\w-]*host(?:name)?", words[at - 1])
            if is_option or (following.isdecimal() and words[0].rpartition("/")[2] in ("nc", "telnet", "ncat")):
                words[at] = HERE
                where = "the command" if key == "command" else "the health check"
                _say(service, word, other, where, id(other) in gone, f"{HERE}:{following}")
                if following.isdecimal():
                    words[at + 1] = Filled(_port_of(other, int(following[:6]), other is service))


def _checks(service: Draft) -> Iterator[tuple[dict[str, Any], str]]:
    for key in ("ready", "healthcheck"):
        if isinstance(probe := service.fields.get(key), dict):
            yield probe, "exec"


def _sibling(service: Draft, variable: str, other: Draft) -> bool:
    """The port in `DB_PORT`, where `DB_HOST` named the service; whether there is one."""
    is_there = False
    for name in {re.sub(r"HOST(?:NAME)?|SERVER|ADDR(?:ESS)?", "PORT", variable)} - {variable}:
        value = service.environment.get(name)
        told = re.fullmatch(r"(?P<open>\$\{\w+:?-)?(?P<number>\d{1,5})(?(open)\})", str(value or ""), re.ASCII)
        if told and int(told["number"]) in (*other.inner, *other.ports):
            port = _port_of(other, int(told["number"]), other is service)
            service.environment[name] = Filled(f"{told['open']}{port}}}" if told["open"] else port)
        is_there = is_there or name in service.environment or name in service.in_files
    return is_there


def _say_port(service: Draft, host: str, other: Draft) -> None:
    """A port that goes without saying, where it is another one on this machine."""
    if other.ports and other.inner and other.ports[0] != other.inner[0] and other is not service:
        why = f"it listens on {other.ports[0]} here, and on {other.inner[0]} in its container"
        service.leave(f"the port of `{host}`", why, f"tell the program, by `{{port:{other.name}}}`")


def _say(service: Draft, host: str, other: Draft, where: str, is_gone: bool, written: str) -> None:
    if other is service:
        return
    if is_gone:
        told = [int(each) for each in re.findall(rf"{re.escape(HERE)}:(\d+)", written)] or other.ports or other.inner
        port = next((each for each in told if each not in other.ports), told[0]) if told else ""
        remedy = f"see that it listens on {HERE}{f':{port}' if port else ''} before `portsup up`"
        if port and other.ports and port not in other.ports:
            remedy += ", because its `ports` do not publish that"
        service.leave(f"`{host}` in {where}", f"`{other.name}` is not carried over, so {HERE} is written", remedy)
    else:
        note = f"`{host}` in {where} was its name in the containers' network: {HERE} is written"
        if note not in service.notes:
            service.notes.append(note)
