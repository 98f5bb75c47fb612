"""The last start of a stack as a page of its own: bars over time, and the same as a table.  Pure."""

from collections.abc import Collection, Sequence
from html import escape

from supervisor.api.launch import Launch, phases
from supervisor.core import journal
from supervisor.words import pictures

# Of the palette of Okabe and Ito.
_COLORS = {
    "port": "#999999",
    "waited": "#cc79a7",
    "spawn": "#e69f00",
    "listening": "#56b4e9",
    "ready": "#009e73",
}
_WIDTH = 640
_STYLE = """
:root{color-scheme:light dark}body{font:14px/1.45 system-ui,sans-serif;margin:24px;background:#fff;color:#1b1f24}
table{border-collapse:collapse}th,td{text-align:left;padding:4px 10px;border-bottom:1px solid #d0d7de}
.number{text-align:right;font-variant-numeric:tabular-nums}svg{display:block;background:#f1f3f6}
ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:4px 16px}li svg{display:inline-block;vertical-align:middle}
@media(prefers-color-scheme:dark){body{background:#16181d;color:#e6e9ee}th,td{border-color:#363c46}svg{background:#1f232b}}
"""


def as_html(stack: str, told: Sequence[Launch], chain: Collection[Launch]) -> str:
    """The page; it needs nothing beside itself."""
    most = max((each.settled or 0.0 for each in told), default=0.0) or 1.0
    legend = "".join(
        '<li><svg width="12" height="12" aria-hidden="true">'
        f'<rect width="12" height="12" fill="{_COLORS[name]}"/></svg> {meaning}</li>'
        for name, meaning in pictures.PHASES.items()
    )
    heads = "".join(f'<th scope="col">{column}</th>' for column in pictures.COLUMNS)
    rows = "\n".join(_row(each, most, each in chain) for each in told)
    title = escape(pictures.last_start(stack))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>\n'
        f"<body><h1>{title}</h1>\n<ul>{legend}</ul>\n"
        f"<p>{pictures.CRITICAL}</p>\n"
        f"<table><thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></body></html>\n"
    )


def _row(launch: Launch, most: float, is_critical: bool) -> str:
    at = launch.at.get(journal.ServiceAcquiring.event, 0.0)
    bars, words = [], []
    for name, seconds in phases(launch):
        if seconds:
            x, width = _WIDTH * at / most, max(1.0, _WIDTH * seconds / most)
            what = pictures.phase(name, seconds)
            words.append(what)
            bars.append(
                f'<rect x="{x:.1f}" width="{width:.1f}" height="16" fill="{_COLORS[name]}"><title>{what}</title></rect>'
            )
            at += seconds
    settled = pictures.NOT_THERE if launch.settled is None else f"{launch.settled:.3f} s"
    outcome = "" if launch.outcome in ("ready", "") else f" ({escape(launch.outcome)})"
    label = escape("; ".join(words)) or pictures.NO_TIMES
    return (
        f'<tr><th scope="row">{escape(launch.name)}{" ◆" if is_critical else ""}</th>'
        f'<td><svg width="{_WIDTH}" height="16" role="img" aria-label="{label}">{"".join(bars)}</svg></td>'
        f'<td class="number">{settled}{outcome}</td>'
        f"<td>{escape(launch.after)}</td></tr>"
    )
