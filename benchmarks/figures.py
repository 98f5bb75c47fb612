"""How figures are said: medians with their spread, the machine they are of, and whether a goal was met."""

import math
import os
import platform
import time
from collections.abc import Sequence
from statistics import median


def machine() -> str:
    """The date and the machine, on one line."""
    return (
        f"# {time.strftime('%Y-%m-%d')}, Linux {platform.release()}, Python {platform.python_version()},"
        f" {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )


def p99(values: Sequence[float]) -> float:
    """The 99th percentile: one value in a hundred is larger."""
    return sorted(values)[math.ceil(0.99 * len(values)) - 1]


def spread(values: Sequence[float], unit: str) -> str:
    """The median and the range; with twenty values and more the 99th percentile too."""
    if not values:
        return "-"
    high = f"p99 {p99(values):.4g}, " if len(values) >= 20 else ""
    return f"{median(values):.4g} {unit} ({high}{min(values):.4g}-{max(values):.4g})".replace("  ", " ")


def verdict(is_met: bool) -> str:
    """A goal's."""
    return "goal met" if is_met else "goal MISSED"
