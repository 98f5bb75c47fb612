"""Files that a browser shows: well-formed, without anything of others, with what they are about."""

import re
from xml.etree import ElementTree

from supervisor.api.drawing import as_svg, drawn
from supervisor.api.gantt import as_html
from supervisor.api.launch import critical_chain, launches
from supervisor.api.sight import Graph, Need

SVG = "{http://www.w3.org/2000/svg}"
GRAPH = Graph(
    (("db", "a<b>&"), ("api",), ("a-name-that-is-much-longer-than-a-box",)),
    (Need("api", "db", "ready"), Need("a-name-that-is-much-longer-than-a-box", "api", "started")),
)


def test_each_service_is_to_the_right_of_what_it_needs_and_no_two_are_in_one_place() -> None:
    drawing = drawn(GRAPH)
    boxes = {box.name: box for box in drawing.boxes}
    for need in GRAPH.needs:
        assert boxes[need.needs].x + boxes[need.needs].width < boxes[need.service].x
    assert len({(box.x, box.y) for box in drawing.boxes}) == len(boxes) == 4
    assert all(box.x + box.width <= drawing.width and box.y + box.height <= drawing.height for box in drawing.boxes)
    assert boxes["a-name-that-is-much-longer-than-a-box"].label.endswith("…")
    assert [(arrow.begin, arrow.end) for arrow in drawing.arrows] == [
        (need.needs, need.service) for need in GRAPH.needs
    ]


def test_an_arrow_that_leads_past_a_step_passes_no_box() -> None:
    needs = (Need("api", "db", "ready"), Need("web", "api", "ready"), Need("web", "cache", "ready"))
    drawing = drawn(Graph((("db", "cache"), ("api",), ("web",)), needs))
    boxes = {box.name: box for box in drawing.boxes}
    (past,) = [arrow.path for arrow in drawing.arrows if arrow.begin == "cache"]
    api = boxes["api"]
    assert f"H{api.x + api.width}" in past
    (level,) = re.findall(rf",{api.x},(\d+)H", past)
    assert not api.y <= int(level) <= api.y + api.height
    assert past.startswith(f"M{boxes['cache'].x + api.width},")


def test_a_drawing_of_nothing_is_one() -> None:
    drawing = drawn(Graph((), ()))
    assert (drawing.boxes, drawing.arrows) == ((), ())
    ElementTree.fromstring(as_svg(drawing, "nothing", {}))


def test_the_svg_is_well_formed_and_has_names_as_text() -> None:
    root = ElementTree.fromstring(as_svg(drawn(GRAPH), "Who & whom", {"db": "5432-5434"}))
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert "a<b>&" in texts
    assert "5432-5434" in texts
    assert "api needs db: ready" in [element.text for element in root.iter(f"{SVG}title")]


def event(what: str, at: float, service: str | None = None) -> dict[str, object]:
    return {"event": what, "time": f"2026-03-01T09:30:{at:06.3f}+00:00", **({"service": service} if service else {})}


def test_the_page_of_a_start_has_a_bar_for_each_phase() -> None:
    told = launches(
        [
            event("instance starts", 0),
            event("service acquiring", 0, "db<"),
            event("service waiting", 0.1, "db<"),
            event("service starting", 0.2, "db<"),
            event("service spawned", 0.3, "db<"),
            event("service listens", 0.6, "db<"),
            event("service ready", 1.0, "db<"),
        ],
        {},
    )
    page = as_html("shop-1", told, critical_chain(told))
    assert '<th scope="row">db&lt; ◆</th>' in page
    assert "starts to listen: 0.300 s" in page
    assert ">1.000 s<" in page
    assert "http" not in page
    assert "<script" not in page
