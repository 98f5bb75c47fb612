"""What `up` is to start: the stack that is meant, with the options that hold for it.

At a start this happens in a child, so `load` and all that it consists of is imported there alone.
"""

import contextlib
import os
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from supervisor.config.names import find_asked
from supervisor.config.selection import active_profiles, selected
from supervisor.config.spec import HandoffMode, StackSpec, Start
from supervisor.core.order import levels, with_dependencies
from supervisor.daemon.options import Options
from supervisor.dataclass import replace
from supervisor.words import refusals


def read_stack(
    options: Options, importing: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
) -> tuple[StackSpec, Options]:
    """The stack that is meant, and the options with the profiles and the files that hold for it.

    What reads services.yaml is imported within `importing`.
    Raises ConfigError, NotFound for a service that it does not have, or UsageError for services that cannot be
    started this way.
    """
    with importing():
        from supervisor.config.load import load_asked

    asked = find_asked(os.fspath(current_directory()), options.files)
    spec = load_asked(asked, os.environ)
    for name in filter(None, (*options.services, options.abort.code_from)):
        if name not in spec.services:
            raise refusals.not_in_file(name, spec.file.name, spec.services)
    profiles = active_profiles(spec, options.profiles, os.environ)
    options = replace(options, profiles=profiles, files=asked)
    selected(spec, options.services, profiles)
    if not options.hands_over:
        refuse_without_handoff(spec, start_order(spec, options))
    if (name := options.abort.code_from) and name not in start_order(spec, options):
        raise refusals.not_started(name)
    return spec, options


def refuse_without_handoff(spec: StackSpec, names: Iterable[str]) -> None:
    """Raises UsageError if one of these services has a key that needs the handoff, which is off for all of them."""
    for name in names:
        service = spec.services[name]
        if service.handoff is HandoffMode.SYSTEMD:
            continue
        if service.replicas > 1 and service.pool:
            raise refusals.replicas_need_handoff(name)
        if service.waits_for_clients:
            raise refusals.needs_handoff(name, on_connect=service.start is Start.ON_CONNECT)
        if spec.budget is not None and (service.memory_cost or service.gpu_memory_cost):
            raise refusals.no_budget()


def current_directory() -> Path:
    """The working directory; `/` when it was deleted under us."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path("/")


def start_order(spec: StackSpec, options: Options) -> list[str]:
    """The services that this `up` starts: what others depend on comes first."""
    graph = {name: tuple(service.depends_on) for name, service in spec.services.items()}
    wanted = with_dependencies(graph, selected(spec, options.services, options.profiles))
    return [name for level in levels(graph) for name in level if name in wanted]
