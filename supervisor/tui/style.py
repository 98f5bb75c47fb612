"""How the screens look."""

from supervisor.api.rows import ON_DARK, ON_LIGHT, Look

_LOOKS = {"red": Look.FAILED, "yellow": Look.UNHEALTHY}


def shade(style: str, *, dark: bool) -> str:
    """A style with the red and yellow of all windows: those of terminals are too dark to read, most of all as greys."""
    colours = ON_DARK if dark else ON_LIGHT
    return " ".join(colours[_LOOKS[word]] if word in _LOOKS else word for word in style.split())


CSS = """
Screen { layout: vertical; }
#head { height: 1; text-style: bold; background: $panel; padding: 0 1; }
#ended { height: auto; background: $error; color: $text; padding: 0 1; display: none; }
#ended.on { display: block; }
.stale { opacity: 60%; text-style: dim; }
DataTable { height: 1fr; }
Lanes { height: 3; overflow-x: hidden; scrollbar-size-vertical: 1; }
LogView { height: 1fr; }
#status, #about, #span { height: 1; background: $panel; padding: 0 1; }
#filter { dock: bottom; display: none; height: 3; }
#filter.on { display: block; }
#below { height: 40%; border-top: solid $primary; padding: 0 1; }
#text, #rest { padding: 0 1; height: auto; }
#graph { padding: 0 1; height: auto; width: auto; }
HorizontalScroll { height: auto; overflow-y: hidden; }
VerticalScroll { height: 1fr; }
Ask, Report, Help { align: center middle; }
Ask > Vertical, Report > Vertical, Help > VerticalScroll {
    width: 76; max-width: 100%; height: auto; max-height: 90%; border: round $primary; background: $surface;
    padding: 1 2;
}
Ask VerticalScroll, Report VerticalScroll { height: auto; max-height: 55vh; }
Ask Horizontal { height: auto; margin-top: 1; }
Ask Button { margin-right: 2; }
"""
