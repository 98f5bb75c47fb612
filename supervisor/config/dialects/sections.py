"""Mappings of other supervisors (`availability`, `readiness_probe`, `shutdown`, `deploy`) as keys of ours."""

import re

from supervisor.config import values
from supervisor.config.dialects.programs import command_of
from supervisor.config.dialects.writing import Beside, at, in_place_of, pair, text_of
from supervisor.config.scalars import tidy_name
from supervisor.config.tree import FALSE, TRUE, Node, Sequence
from supervisor.config.tree import Mapping as MappingNode
from supervisor.core.signals import name_of

RESTARTS = {
    "no": "never", "never": "never", "none": "never", "false": "never", "onfailure": "on-failure",
    "exitonfailure": "on-failure", "unexpected": "on-failure", "onabnormal": "on-failure", "onabort": "on-failure",
    "always": "always", "unlessstopped": "always", "true": "always", "yes": "always", "any": "always",
}  # fmt: skip


CLOCK = "leave it out: `schedule` is for services that are `one_shot`; let cron run `portsup restart NAME`"


def joined(parts: list[str]) -> str:
    """Several lines to write, as a sentence."""
    quoted = [f"`{part}`" for part in parts]
    return "write " + (f"{', '.join(quoted[:-1])} and {quoted[-1]}" if len(quoted) > 1 else quoted[0])


def restart_of(text: str) -> list[str]:
    """The lines for when to restart, from the word of another supervisor; none where it is no such word."""
    text = text.strip().lower()
    if re.fullmatch(r"\d{1,6}", text):
        return ["restart: on-failure", f"restart_policy: {{max_restarts: {text}}}"] if int(text) else ["restart: never"]
    word, _, count = text.partition(":")
    meant = RESTARTS.get(word.replace("-", "").replace("_", ""))
    if meant is None:
        return []
    limit = [f"restart_policy: {{max_restarts: {count}}}"] if count.isdigit() else []
    if word.replace("-", "_") == "exit_on_failure":
        limit.append("on_end: {failure: stop_all}")
    return [f"restart: {meant}", *limit]


def restart(node: Node, beside: Beside) -> str:
    """`autorestart` and the like."""
    return joined(restart_of(text_of(node)) or ["restart: on-failure"])


def restart_condition(node: Node, beside: Beside) -> str:
    """`condition` of a restart policy."""
    lines = restart_of(text_of(node))[:1] or ["restart: always"]
    return f"write `{lines[0]}` one level up, in the service"


def availability(node: Node, beside: Beside) -> str:
    """`availability` of process-compose."""
    if text_of(node):
        return restart(node, beside)
    lines = restart_of(text_of(at(node, "restart")))[:1]
    policy = []
    if most := text_of(at(node, "maxrestarts")):
        policy.append(f"max_restarts: {most}")
    if wait := text_of(at(node, "backoffseconds")):
        policy.append(f"delay: {seconds(wait)}")
    if policy:
        lines.append(f"restart_policy: {{{', '.join(policy)}}}")
    if text_of(at(node, "exitonend")) in TRUE:
        lines.append("on_end: stop_all")
    elif text_of(at(node, "restart")).replace("-", "_").lower() == "exit_on_failure":
        lines.append("on_end: {failure: stop_all}")
    return joined(lines) if lines else "leave it out"


def seconds(text: str) -> str:
    """A time as ours; a plain number is seconds."""
    return f"{text}s" if re.fullmatch(r"\d+(\.\d+)?", text) else values.tidy_duration(text) or text


def on_failure(node: Node, beside: Beside) -> str:
    """What to do after a failure: to restart is the usual thing, the rest is about the other services."""
    text = text_of(node).lower()
    if text in ("restart", "retry", "always"):
        return "write `restart: on-failure`"
    is_all = text in ("exit", "stop", "stop_all", "stop-all", "fatal", "down", "shutdown", "kill", "true")
    return f"write `on_end: {{failure: {'stop_all' if is_all else 'ignore'}}}`"


def memory(node: Node, beside: Beside) -> str:
    """A limit for all processes of the service together."""
    text = text_of(node)
    return f"write `memory_limit: {values.tidy_size(text) or text or '512MB'}` one level up, in the service"


def memory_limit(node: Node, beside: Beside) -> str:
    """`memory: 512M`, of the service."""
    text = text_of(node)
    return f"write `memory_limit: {values.tidy_size(text) or text or '512MB'}`"


def log(node: Node, beside: Beside) -> str:
    """`log`: a file, or a mapping of how much to keep."""
    if isinstance(node, MappingNode):
        return in_place_of("logging", beside.key)
    return "leave it out: portsup keeps the output, see `portsup logs`; `logging` says how much of it"


def policy_of(node: Node) -> list[str]:
    """The lines for a mapping about restarts, such as `{policy: always, delay: 5}`."""
    known = {
        folded: text_of(each.value)
        for each in (node.entries if isinstance(node, MappingNode) else ())
        for folded in [re.sub("[_-]", "", each.key.text.lower())]
    }
    word = next((known[key] for key in ("policy", "condition", "name", "restart", "when", "type") if key in known), "")
    lines = restart_of(word)[:1]
    delay = next((known[key] for key in ("delay", "backoff", "backoffseconds", "sec", "wait") if known.get(key)), "")
    names = ("maxrestarts", "maxattempts", "attempts", "maximumretrycount", "maxretries", "retries", "max", "limit")
    most = next((known[key] for key in names if known.get(key, "").isdigit()), "")
    inner = [f"max_restarts: {most}"] if most else []
    inner += [f"delay: {seconds(delay)}"] if delay else []
    inner += [f"period: {seconds(known['interval'])}"] if known.get("interval") and most else []
    if known.get("mode") == "fail" and not lines:
        lines = ["restart: on-failure"]
    return [*lines, f"restart_policy: {{{', '.join(inner)}}}"] if inner else lines


def shutdown(node: Node, beside: Beside) -> str:
    """`shutdown` of process-compose."""
    if text_of(node):
        return stop(node, beside)
    lines = []
    if found := text_of(at(node, "command")):
        lines.append(f"stop_command: {command_of(found)}")
    if found := text_of(at(node, "signal")):
        lines.append(f"stop_signal: {signal_of(found)}")
    if found := text_of(at(node, "timeoutseconds")):
        lines.append(f"stop_grace_period: {seconds(found)}")
    if text_of(at(node, "parentonly")) in TRUE:
        lines = [line for line in lines if not line.startswith("stop_signal")]
        lines.append(f"stop_signal: {{signal: {signal_of(text_of(at(node, 'signal')) or 'TERM')}, to: main}}")
    return joined(lines) if lines else "leave it out"


def signal_of(text: str) -> str:
    """The name of a signal that is written as a name or a number."""
    try:
        return name_of(values.signal_number(text)) or text
    except ValueError:
        return "SIGTERM"


def stop(node: Node, beside: Beside) -> str:
    """`stop` of mprocs: a signal, `hard-kill`, or keys to send."""
    text = text_of(node)
    if text.lower() in ("hard-kill", "hardkill", "kill"):
        return "write `stop_signal: SIGKILL`"
    if isinstance(node, MappingNode):
        grace = text_of(at(node, "timeout")) or text_of(at(node, "graceperiod")) or text_of(at(node, "grace"))
        lines = [f"stop_signal: {signal_of(text_of(at(node, 'signal')) or 'INT')}"]
        return joined([*lines, f"stop_grace_period: {seconds(grace)}"] if grace else lines)
    if re.fullmatch(r"(?:SIG)?[A-Z]+[0-9]*", text):
        return f"write `stop_signal: {signal_of(text)}`"
    return f"write `stop_command: {command_of(text)}`" if text else "leave it out"


def deploy(node: Node, beside: Beside) -> str:
    """`deploy` of compose: what of it is for programs, too."""
    lines = []
    if found := text_of(at(node, "resources", "limits", "memory")):
        lines.append(f"memory_limit: {values.tidy_size(found) or found}")
    if found := text_of(at(node, "restartpolicy", "condition")):
        lines += restart_of(found)[:1]
    if (found := text_of(at(node, "replicas"))).isdigit() and int(found) > 1:
        lines.append(f"replicas: {found}")
    if found := text_of(at(node, "restartpolicy", "maxattempts")):
        lines.append(f"restart_policy: {{max_restarts: {found}}}")
    said = f"; {joined(lines)}" if lines else ""
    return f"leave it out{said}"


def resources(node: Node, beside: Beside) -> str:
    """`resources` of Kubernetes."""
    found = text_of(at(node, "limits", "memory"))
    return f"write `memory_limit: {values.tidy_size(found) or found}`" if found else "leave it out"


def copies(node: Node | None, beside: Beside) -> str:
    """Several copies of a service."""
    text = text_of(node)
    if text in ("0", "1"):
        return "leave it out: one is what there is"
    if text.isdigit():
        return f"write `replicas: {text}`"
    return "write `replicas: N`, the number of processes"


def cron(node: Node, beside: Beside) -> str:
    """The five fields of cron: a job of ours has them as `schedule`."""
    text = text_of(node)
    if "oneshot" in beside.values:
        return f"write `{pair('schedule', node)}`"
    if len(text.split()) != 5:
        return CLOCK
    return f'write `one_shot: true` and `schedule: "{text}"` if it ends by itself; else let cron run `portsup restart`'


def watch(node: Node, beside: Beside) -> str:
    """Restarts on changed files: ours wants to know which."""
    if text_of(node) in FALSE:
        return "leave it out"
    return (
        "write `watch: {paths: [src], ignore: [tmp]}`: portsup restarts the service when files there change "
        "(extra `watch`)"
    )


def environment(node: Node, beside: Beside) -> str:
    """Variables as a text, or under another name."""
    shown = environment_text(text_of(node))
    if re.fullmatch(r"[a-z][\w.-]*", text_of(node)):
        return "leave it out: the variables of a program are `environment`"
    return f"write `environment: {shown}`" if shown else in_place_of("environment", beside.key)


def log_options(node: Node, beside: Beside) -> str:
    """`logging: {options: …}` of compose."""
    lines = []
    if found := text_of(at(node, "max-size")):
        lines.append(f"max_size: {values.tidy_size(found) or found}")
    if found := text_of(at(node, "max-file")):
        lines.append(f"backups: {found}")
    return joined(lines) if lines else "leave it out"


def exit_codes(node: Node, beside: Beside) -> str:
    """`exitcodes` of supervisord: `0,2`."""
    text = text_of(node)
    if isinstance(node, Sequence):
        text = " ".join(text_of(item) for item in node.items)
    found = [code for code in re.findall(r"\d+", text) if code != "0"]
    return f"write `success_exit_codes: [{', '.join(found)}]`" if found else "leave it out: 0 is success"


def for_all(node: Node, beside: Beside) -> str:
    """Variables for every service."""
    if beside.key.lower().replace("_", "") == "envfile":
        return f"write `{pair('env_file', node)}` in each service"
    if beside.key.lower() not in ("environment", "env", "vars"):
        return f"write `x-{beside.key.lower()}: &all` in its place, and `<<: *all` in each service"
    return "write `x-environment: &all` in its place, and `environment: *all` in each service"


def stack_name(node: Node, beside: Beside) -> str:
    """What others call the name of the stack."""
    if at(node, "services") is not None:
        return "leave it out, and move what is below it two spaces to the left"
    text = text_of(at(node, "name") if isinstance(node, MappingNode) else node)
    if "services" not in beside.values and re.search(r"[\s/]", text):
        return f"write `services: {{{beside.key}: {{command: {command_of(text)}}}}}`"
    if "name" in beside.values:
        return "leave it out: `name` has the name of the stack"
    return f"write `name: {name}`" if (name := tidy_name(text)) else "leave it out, or write `name: NAME`"


def grace(node: Node, beside: Beside) -> str:
    """How long a stop may take: in seconds, or in milliseconds where the number is of these."""
    text = text_of(node)
    is_milliseconds = text.isdigit() and int(text) >= 1000
    return f"write `stop_grace_period: {f'{int(text) / 1000:g}s' if is_milliseconds else seconds(text)}`"


def services_of(node: Node, beside: Beside) -> str:
    """One service, or the commands of several by their names."""
    if not isinstance(node, MappingNode):
        return "write `services: {NAME: {command: …}}`"
    if all(text_of(each.value) for each in node):
        lines = [f"{each.key.text}: {{command: {command_of(text_of(each.value))}}}" for each in node]
        return f"write `services: {{{', '.join(lines)}}}`"
    return services(node, beside)


def services(node: Node, beside: Beside) -> str:
    """What others call the services."""
    if isinstance(node, Sequence):
        return "write `services:`, and instead of the list a mapping: `NAME: {command: …}`"
    return f"write `services:` instead of `{beside.key}:`"


def environment_text(text: str) -> str:
    """`A="1",B=2` of supervisord, or `A=1 B=2`, as a mapping; empty where it is none.  Secrets are masked."""
    from supervisor.config.rewriting import flow
    from supervisor.config.secret_names import HIDDEN, is_secret_name

    found = re.findall(r"""([A-Za-z_]\w*)=("[^"]*"|'[^']*'|[^\s,]*)""", text)
    if not found:
        return ""
    pairs = ((name, HIDDEN if is_secret_name(name) else value.strip("\"'")) for name, value in found)
    return f"{{{', '.join(f'{name}: {flow(value)}' for name, value in pairs)}}}"
