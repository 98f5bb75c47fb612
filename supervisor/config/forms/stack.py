"""What is there once for a stack.  Its name, files and services are put together by `load`."""


from supervisor.annotations import Any
from supervisor.config.fields import Fields
from supervisor.config.forms.usual import command, shown, signal_name
from supervisor.config.kinds import Form, Making, Section, Showing
from supervisor.config.spec import RenderedFile, StackSpec
from supervisor.core.notices import Notify, Occasion

NAME = Form(("name",), lambda fields, making: {}, lambda stack, showing: stack.name)


def _make_notify(fields: Fields, making: Making) -> dict[str, Any]:
    given: Fields | None = fields.get("notify")
    if given is None:
        return {}
    plain = Notify()
    on = tuple(Occasion(each) for each in given.get("on", plain.on) if each in tuple(Occasion))
    words = tuple(word.text for word in given.get("run", ()))
    return {"notify": Notify(on, given.get("to", ()), words, given.get("every", plain.every))}


def _show_notify(stack: StackSpec, showing: Showing) -> dict[str, Any] | None:
    notify = stack.notify
    if notify is None:
        return None
    run = {"run": command(notify.command, showing)} if notify.command else {}
    to = {"to": list(notify.to) if showing.reveal else [veiled(each) for each in notify.to]} if notify.to else {}
    return {"on": list(map(str, notify.on)), **to, **run, "every": notify.every}


def veiled(address: str) -> str:
    """An address without what may be secret in it: all but what kind it is of."""
    kind, colon, rest = address.partition("://")
    return f"{kind}://***" if colon and rest else address


NOTIFY = Form(("notify",), _make_notify, _show_notify)


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
