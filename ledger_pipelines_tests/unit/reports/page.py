"""Reading a statement as a person would: tables, their rows and their totals, from the page's own text."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from html.parser import HTMLParser

VOID = {"meta", "br", "rect", "line", "img", "link"}


@dataclass
class Grid:
    """A table: cells with their span, by section."""

    name: str
    head: list[list[tuple[str, int]]] = field(default_factory=list)
    body: list[list[tuple[str, int]]] = field(default_factory=list)
    foot: list[list[tuple[str, int]]] = field(default_factory=list)


class Page(HTMLParser):
    """The page's tables, its text, its links, and whether its elements close."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[Grid] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self._section: list[list[tuple[str, int]]] = []
        self._span = 1
        self._cell: list[str] | None = None
        self.feed(text)
        self.close()
        assert self._open == [], self._open

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def table(self, name: str) -> Grid:
        return next(table for table in self.tables if table.name == name)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self.tables.append(Grid(given.get("id") or given.get("class") or ""))
        elif tag in {"thead", "tbody", "tfoot"}:
            grid = self.tables[-1]
            self._section = {"thead": grid.head, "tbody": grid.body, "tfoot": grid.foot}[tag]
        elif tag == "tr":
            self._section.append([])
        elif tag in {"td", "th"}:
            self._cell, self._span = [], int(given.get("colspan") or 1)
        elif tag == "a":
            self.links.append(given.get("href") or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag, attrs

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag in {"td", "th"} and self._cell is not None:
            self._section[-1].append(("".join(self._cell).strip(), self._span))
            self._cell = None

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.texts.append(data)
        if self._cell is not None:
            self._cell.append(data)


def columns(row: list[tuple[str, int]]) -> list[str]:
    """Cells by column; a cell over several columns stands in the first."""
    return [text for cell, span in row for text in (cell, *[""] * (span - 1))]


def number(text: str) -> Decimal | None:
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None


def check_totals(page: Page) -> int:
    """Every number in a table's foot is the sum of the column above it. Returns how many were checked."""
    checked = 0
    for table in page.tables:
        for row in table.foot:
            for at, cell in enumerate(columns(row)):
                total = number(cell)
                if total is None:
                    continue
                above = [columns(line)[at] for line in table.body]
                assert sum((number(text) or Decimal(0) for text in above), Decimal(0)) == total, (
                    table.name,
                    at,
                    cell,
                )
                checked += 1
    return checked
