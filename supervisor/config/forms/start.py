"""When a service is stopped for want of clients."""


from supervisor.annotations import Any
from supervisor.config.fields import Fields
from supervisor.config.kinds import Form, Making, Showing
from supervisor.config.spec import ServiceSpec


def _make_idle(fields: Fields, making: Making) -> dict[str, Any]:
    given: Fields | None = fields.get("idle_when")
    share = given.get("cpu_below") if given else None
    return {} if share is None else {"idle_cpu_below": float(str(share).removesuffix("%"))}


def _show_idle(spec: ServiceSpec, showing: Showing) -> dict[str, str] | None:
    return {"cpu_below": f"{spec.idle_cpu_below:g}%"} if spec.idle_cpu_below else None


IDLE = Form(("idle_cpu_below",), _make_idle, _show_idle)
