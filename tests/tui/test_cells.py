import pytest

from supervisor.api.launch import Launch
from supervisor.api.machine import Instance, LeftFile, Leftovers, LeftProcess
from supervisor.api.values import Changes, Event, Load, PortStatus, ServiceStatus, Usages, Why
from supervisor.control.progress import Changed
from supervisor.tui.cells import (
    age_cell,
    cpu_cell,
    memory_cell,
    pool_cell,
    port_cell,
    state_cell,
    trend_cell,
)
from supervisor.tui.model import Model, head_line, shown
from supervisor.tui.orders import difference
from supervisor.tui.style import shade


def row(name: str = "web", state: str = "running", **facts: object) -> ServiceStatus:
    known: dict[str, object] = {
        "name": name, "instance": 1, "state": state, "status": "active", "health": "none", "port": 6000, "url": None,
        "pid": 7, "uptime_s": 5.0, "restarts": 0, "exit_code": None, "result": None, "pool": (),
    }  # fmt: skip
    return ServiceStatus(**{**known, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0.4, "0s"), (59.9, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (86400 * 9, "9d")],
)
def test_an_age_has_one_unit(seconds: float | None, text: str) -> None:
    assert age_cell(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(None, "-"), (0, "0B"), (999, "999B"), (2048, "2K"), (5 << 20, "5.00M"), (12 << 20, "12.0M"), (300 << 20, "300M"),
     (1100 << 20, "1.07G"), (5 << 50, "5120T")],
)  # fmt: skip
def test_memory_has_three_digits(size: int | None, text: str) -> None:
    assert memory_cell(size) == text


def test_shares_of_a_processor() -> None:
    assert [cpu_cell(share) for share in (None, 0.0, 0.004, 0.5, 2.0)] == ["-", "0%", "0%", "50%", "200%"]


def test_a_trend_is_as_wide_as_it_may_be_and_has_gaps() -> None:
    assert trend_cell([]) == ""
    assert trend_cell([None, None]) == ""
    assert trend_cell([0, None, 700], plain=True) == "_ @"
    assert trend_cell([5] * 20) == "▁" * 8
    assert trend_cell([1_000_000, 1_000_001]) == "▁▁"  # that is no growth


def test_a_state_is_a_shape_and_a_word() -> None:
    assert state_cell(row(state="failed")) == "✕ failed"
    assert state_cell(row(state="failed"), plain=True) == "x failed"
    assert state_cell(row(health="unhealthy")) == "▲ unhealthy"


def test_a_pool_and_its_ports() -> None:
    taken = PortStatus(6001, "taken", "nginx (pid 12)")
    assert pool_cell(row(pool=(PortStatus(6000, "active"), taken))) == "6000 of 2"
    assert pool_cell(row(port=None, pool=(taken,))) == "- of 1"
    assert pool_cell(row(port=None)) == "-"
    assert port_cell(taken) == "✕ 6001 taken: nginx (pid 12)"
    assert port_cell(PortStatus(6000, "active"), plain=True) == "* 6000 active"


def usages(times: tuple[float, ...], cpu: tuple[float | None, ...], memory: tuple[int | None, ...]) -> Usages:
    return Usages(10.0, times, {"web": Load(cpu, memory, tuple(1 for _ in times))})


def test_figures_are_of_the_last_two_moments_of_one_process() -> None:
    model = Model()
    assert (model.cpu("web"), model.memory("web"), model.memories("web")) == (None, None, [])
    model.take(usages((10.0,), (1.0,), (100,)))
    assert (model.cpu("web"), model.memory("web")) == (None, 100)
    model.take(usages((10.0, 20.0), (1.0, 6.0), (100, 200)))
    assert (model.cpu("web"), model.memories("web")) == (0.5, [100, 200])
    model.take(usages((30.0,), (0.1,), (50,)))  # another process
    assert model.cpu("web") is None
    model.take(usages((40.0,), (None,), (None,)))
    assert (model.cpu("web"), model.memory("web")) == (None, None)


def test_a_process_grows_older_between_two_rows() -> None:
    model, first = Model(), row(uptime_s=5.0)
    assert model.age(first, 100.0) == 5.0
    assert model.age(first, 130.0) == 35.0
    assert model.age(row(uptime_s=0.5), 131.0) == 0.5
    assert model.age(row(uptime_s=None), 132.0) is None


def test_the_broken_come_first_then_what_others_need() -> None:
    rows = [row("web"), row("db"), row("job", state="failed")]
    assert [each.name for each in shown(rows, {"web": ("db",)})] == ["job", "db", "web"]
    assert [each.name for each in shown(rows, {}, "B")] == ["job", "web", "db"]
    assert head_line("shop", 2, rows) == "shop, instance 2: 2 of 3 services are fine"


def test_what_a_reload_would_do() -> None:
    changes = Changes(
        ("new",), ("old",), (Changed("web", ("pool",), True), Changed("db", ("logging",), False)), ("name",)
    )
    assert difference(changes) == [
        "start new", "stop old", "restart web: pool", "change db: logging", "change name of the stack",
    ]  # fmt: skip
    assert difference(Changes((), (), ())) == []


def test_what_is_left_of_runs_that_are_over() -> None:
    from supervisor.tui.machine import NOTHING, words_of  # with Textual, which only one worker has to import

    left = Leftovers(
        (LeftProcess(5, "node", "web", "shop"), LeftProcess(6, "sh", "", "shop"), LeftProcess(7, "sh", "", "")),
        (LeftFile("/run/x", "record"),), (Instance("shop", 3, "/gone"),), "who knows",
    )
    assert words_of(left) == [
        "process 5 `node` of service `web`", "process 6 `sh` of stack `shop`", "process 7 `sh`",
        "file /run/x: record", "number 3 of `shop`, of a deleted directory: /gone",
        "who knows",
    ]  # fmt: skip
    assert words_of(Leftovers((), (), ())) == [NOTHING]


def launch(name: str, released: float, settled: float | None, after: str = "") -> Launch:
    made = Launch(name)
    made.at |= {"service acquiring": 0.0, "service waiting": 0.5 * released, "service starting": released}
    made.spawned = None if settled is None else released + 0.25 * (settled - released)
    made.settled, made.outcome, made.after = settled, "ready", after
    return made


def test_the_last_start_as_bars() -> None:
    from supervisor.tui.start import bars

    lines = bars([launch("db", 0.0, 1.0), launch("web", 1.0, 4.0, "db"), launch("job", 0.0, None)], 16, plain=True)
    legend = ". looks for a port   : waits for its turn   - is started   = starts to listen   # becomes ready"
    assert lines == [
        "4.00 s until all but job were there; * made it that long", legend, "",
        "* db  -###              1.00 s ready",
        "* web ..::---#########  3.00 s ready after db",
        "  job has not come up",
    ]  # fmt: skip
    assert bars([launch("db", 0.0, 1.0)], 16)[0] == "1.00 s until all were there; * made it that long"
    assert bars([], 8) == ["The journal has no start of this stack."]


def test_why_is_told_from_the_failure_to_the_advice() -> None:
    from supervisor.tui.service import story_of

    ends = Event("2026-01-01T10:00:00.000Z", 4, "error", "service failed", "web", "failed", {"why": "exit code 3"})
    told = story_of(Why("web", "failed", 1, ((ends,),), (), ("bye \x1b[31mred",), ("mend it",)))
    texts = [text for _, text in told]
    assert texts[0] == "failure 1 of 1"
    assert texts[1].startswith("  10:00:00  ")
    assert texts[2:] == ["its last output", "  | bye red", "what to do next", "  mend it"]
    assert story_of(Why("web", "running", 0, (), (), (), ()))[0][1] == "Nothing has gone wrong in this run."
    starting = story_of(Why("web", "starting", 0, (), (ends,), (), ()), is_fine=False)
    assert [text[:12] for _, text in starting] == ["No failure i", "  10:00:00  "]


@pytest.mark.parametrize("dark", [True, False])
def test_what_is_wrong_can_be_read_without_colours_too(dark: bool) -> None:
    for style in ("bold red", "yellow", "dim"):
        *words, colour = shade(style, dark=dark).split()
        if colour == "dim":
            continue
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        grey = 0.2126 * red + 0.7152 * green + 0.0722 * blue  # what is left of it with NO_COLOR
        assert grey > 120 if dark else grey < 120
        assert words == style.split()[:-1]
