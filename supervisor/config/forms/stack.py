"""What is there once for a stack.  Its name, files and services are put together by `load`."""

from typing import Any

from supervisor.config.forms.usual import command, shown, signal_name
from supervisor.config.kinds import Form, Section, Showing
from supervisor.config.spec import RenderedFile, StackSpec

NAME = Form(("name",), lambda fields, making: {}, lambda stack, showing: stack.name)


def services(section: Section) -> Form:
    """The form of `services`: each by its name, with the keys of `section`."""

    def show(stack: StackSpec, showing: Showing) -> dict[str, Any]:
        return {name: shown(section, service, showing) for name, service in stack.services.items()}

    return Form((), lambda fields, making: {}, show)


def _show_render(stack: StackSpec, showing: Showing) -> list[dict[str, Any]]:
    return [_rendered(file, showing) for file in stack.render]


def _rendered(file: RenderedFile, showing: Showing) -> dict[str, Any]:
    data: dict[str, Any] = {"template": str(file.template), "to": str(file.to)}
    if file.on_change is not None and file.on_change.command:
        data["on_change"] = {
            "command": command(file.on_change.command, showing),
            "timeout": file.on_change.timeout,
        }
    elif file.on_change is not None:
        signal = {"service": file.on_change.service, "signal": signal_name(file.on_change.signal)}
        data["on_change"] = {"signal": signal}
    return data


RENDER = Form(("render",), lambda fields, making: {}, _show_render)
