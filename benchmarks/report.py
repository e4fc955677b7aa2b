"""The table for people, 80 columns wide, and the file for machines."""

from __future__ import annotations

import msgspec

from benchmarks.figures import Figure
from benchmarks.measuring import Outcome

WIDTH = 80


def headline(machine: dict[str, object]) -> str:
    """What was measured, where and when."""
    return (
        f"Python {machine['python']}, SQLite {machine['sqlite']}, {machine['cores']} cores ({machine['processor']}),"
        f"\n{machine['date']}. Medians. 'x' is the ratio to the yardstick named below it, taken in turn;"
        "\n'others' is what other processes took of one core meanwhile: above 25 % read the ratios."
    )


def section(outcome: Outcome) -> str:
    """One scenario as lines of text."""
    others = "" if outcome.others is None else f"others {outcome.others:.0f} %"
    lines = [f"{outcome.scenario:<{WIDTH - len(others)}}{others}".rstrip()]
    if outcome.failed:
        lines.append(f"  not measured: {outcome.failed}")
    for place, figure in enumerate(outcome.figures):
        lines.append(_line(figure))
        after = outcome.figures[place + 1 : place + 2]
        if figure.yardstick and (not after or after[0].yardstick != figure.yardstick):
            lines.append(f"      x = {figure.yardstick}: {_told(figure.beside, figure.unit)}")
    return "\n".join(lines)


def _line(figure: Figure) -> str:
    ratio = f"{figure.ratio:.1f} x" if figure.ratio is not None else ""
    budget = f"<= {_told(figure.budget, figure.unit)}" if figure.budget is not None else ""
    met = {None: "", True: "met", False: "over"}[figure.met]
    return f"  {figure.what:<40}{_told(figure.value, figure.unit):>10}{ratio:>9}{budget:>13} {met}".rstrip()


def _told(value: float, unit: str) -> str:
    if unit in ("", "B"):
        return f"{value:,.0f} {unit}".rstrip()
    return f"{value:.3g} {unit}" if value < 100 else f"{value:,.0f} {unit}"


def document(machine: dict[str, object], outcomes: list[Outcome], size: str) -> bytes:
    """All of it as JSON."""
    whole = {"machine": machine, "size": size, "scenarios": outcomes}
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"
