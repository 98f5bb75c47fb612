"""The files that a service is made of, and what follows a change of them."""


from supervisor.annotations import Any
from supervisor.config.fields import Fields
from supervisor.config.forms import usual
from supervisor.config.kinds import Form, Making, Showing
from supervisor.config.spec import Action, ServiceSpec, Watch


def _make(fields: Fields, making: Making) -> dict[str, Any]:
    given: Fields | None = fields.get("watch")
    if given is None:
        return {}
    plain = Watch()
    action: Fields = given.get("action") or Fields(word=Action.RESTART)
    words = action.get("run") or ()
    return {
        "watch": Watch(
            given.get("paths", plain.paths), given.get("ignore", plain.ignore), given.get("settle", plain.settle),
            Action.RUN if words else Action(action.word or Action.RESTART), tuple(word.text for word in words),
        )
    }  # fmt: skip


def _show(spec: ServiceSpec, showing: Showing) -> dict[str, Any] | None:
    watch = spec.watch
    if watch is None:
        return None
    action = {"run": usual.command(watch.command, showing)} if watch.action is Action.RUN else str(watch.action)
    ignore = {"ignore": list(watch.ignore)} if watch.ignore else {}
    return {"paths": list(watch.paths), **ignore, "settle": watch.settle, "action": action}


WATCHED = Form(("watch",), _make, _show)
