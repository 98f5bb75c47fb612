"""Checks of what holds for a stack as a whole."""

from collections.abc import Mapping

from supervisor.config import budget, notify, proxy
from supervisor.config.fields import Fields, Found
from supervisor.config.report import Report


def check(stack: Fields, services: Mapping[str, Found], report: Report) -> None:
    """Reports what cannot be."""
    budget.check(stack, services, report)
    notify.check(stack, report)
    proxy.check(stack, services, report)
