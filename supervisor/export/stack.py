"""A stack as files of another program: the one door of this folder."""

import os
from collections.abc import Callable

from supervisor.config.spec import StackSpec
from supervisor.export import losses
from supervisor.export.model import Export, File, Loss, Target, Wishes
from supervisor.export.veil import Veiled, veiled

Writer = Callable[[StackSpec, Veiled, tuple[str, ...], Wishes], Export]


def export(stack: StackSpec, target: Target, selected: tuple[str, ...], wishes: Wishes) -> Export:
    """The files of a stack for `target`; `selected` are the services that start by themselves.

    The same stack and wishes give the same bytes.  Raises PortsupError for what the target cannot hold.
    """
    hidden = veiled(stack)
    made = _writer(target)(stack, hidden, selected, wishes)
    found = losses.losses(stack, hidden.services, target)
    files = tuple(File(file.name, _head(stack, target, file, found) + file.text) for file in made.files)
    return Export(files, found, made.secrets, made.steps)


def _writer(target: Target) -> Writer:
    match target:
        case Target.SYSTEMD:
            from supervisor.export.systemd import export
        case Target.QUADLET:
            from supervisor.export.quadlet import export
        case Target.COMPOSE:
            from supervisor.export.compose import export
        case Target.KUBERNETES:
            from supervisor.export.kubernetes import export
    return export


def _head(stack: StackSpec, target: Target, file: File, found: tuple[Loss, ...]) -> str:
    """The comment on top: where the file is from, and what in it is not as under portsup."""
    said = [f"Made by `portsup export {target}` of {stack.file.name}, stack {stack.name}."]
    base, ending = os.path.splitext(file.name)
    service = base.removesuffix(".services").removeprefix(f"{stack.name}-")
    if target in (Target.COMPOSE, Target.KUBERNETES):
        said += losses.lines(found, len(stack.services))
    elif ending in (".service", ".container") and service in stack.services:
        said += losses.lines(losses.of_service(found, service), 0)
    elif ending == ".target":
        said += losses.lines(tuple(loss for loss in found if not loss.services), 0)
    return "\n".join(losses.comment(said)) + "\n\n"
