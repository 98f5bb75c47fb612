"""Where a service runs on a cluster."""

from collections.abc import Mapping

from supervisor.annotations import Any
from supervisor.config.fields import Fields
from supervisor.config.kinds import Form, Making, Showing
from supervisor.config.spec import Placing, ServiceSpec


def _make(fields: Fields, making: Making) -> Mapping[str, Any]:
    given: Fields | None = fields.get("place")
    if given is None:
        return {}
    found = {name: given.get(name) for name in ("cpus", "gpus", "spread") if given.get(name) is not None}
    labels = {name: each.value.text for name, each in given.get("labels", {}).items()}
    node = given.get("node")
    return {"place": Placing(**found, labels=labels, node="" if node is None else str(getattr(node, "text", node)))}


def _show(spec: ServiceSpec, showing: Showing) -> dict[str, Any] | None:
    place = spec.place
    data = {"cpus": place.cpus, "gpus": place.gpus, "labels": dict(place.labels), "node": place.node}
    return {name: value for name, value in {**data, "spread": place.spread}.items() if value} or None


PLACE = Form(("place",), _make, _show)
