"""What the tests of an integration's docs page share: its tables, and the reason codes of the source.

Belongs here: reading a page and a package. Does not belong here: what a page must say (each integration's `test_docs`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from ledger_pipelines.integrations.by_day.context import IGNORED
from ledger_pipelines.integrations.by_day.unreadable import UNREADABLE

ROOT = Path(__file__).parents[3]
CODE = re.compile(r"[a-z][a-z]*(?:-[a-z]+)*")
SHARED = frozenset({"unresolved-setting", "illegal-sku", IGNORED, UNREADABLE})
"""Codes that modules make which integrations share."""


def page_of(name: str) -> str:
    """A page of docs."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def table_after(page: str, words: str) -> list[list[str]]:
    """Rows of the first table after these words, head and rule left out."""
    lines = page[page.index(words) :].splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("|"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip().strip("|").split("|")])
    return found


def words_of(cell: str) -> list[str]:
    """Words in code style."""
    return re.findall(r"`([^`]+)`", cell)


def told_codes(page: str, headings: Iterable[str]) -> list[str]:
    """Codes of the first column of the tables under these headings."""
    return [word for heading in headings for row in table_after(page, heading) for word in words_of(row[0])]


def texts(node: ast.AST) -> Iterator[str]:
    """Constants that may be a code."""
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and CODE.fullmatch(one.value):
            yield one.value


def codes(package: ModuleType) -> set[str]:
    """Every reason code in the integration's source: written in place, by a name of the module, or as a key of counted rows."""
    found = set(SHARED)
    for path in Path(package.__path__[0]).glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named: dict[str, set[str]] = {}
        for node in ast.walk(tree):
            targets = (
                node.targets
                if isinstance(node, ast.Assign)
                else [node.target]
                if isinstance(node, ast.AnnAssign)
                else []
            )
            for target in targets:
                if isinstance(target, ast.Name) and node.value is not None:  # type: ignore[attr-defined]
                    value = node.value  # type: ignore[attr-defined]
                    named.setdefault(target.id, set()).update(
                        texts(value) if isinstance(value, ast.Constant) else ()
                    )
                    if target.id == "_COUNTED" and isinstance(value, ast.Dict):
                        found |= {text for key in value.keys if key is not None for text in texts(key)}
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "Reason"
                and node.args
            ):
                first = node.args[0]
                found |= named.get(first.id, set()) if isinstance(first, ast.Name) else set(texts(first))
    return found
