"""No binary float and no unrounded division comes near money: a check of the product's syntax trees.

    python -m ledger_pipelines_tests.lint.money [PATH ...]

Belongs here: what is forbidden, where it is allowed and why. Does not belong here: style (ruff), types (mypy).

A line that has to do with something else says so: `# not money: seconds`. A module that knows no amounts at all stands in
`FREE` with its reason, and may then not import Decimal or Money. A remark or an exemption that allows nothing is itself
a finding, so that none is left behind. The vendors' sandbox is not product code: what it keeps is compared by the drill.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "ledger_pipelines"
OUTSIDE = ("sandbox",)
"""Folders of the package that are not product code."""

HOME = "documents/money.py"
"""The one module that divides amounts: exactly, or by largest remainder."""

FREE: Mapping[str, str] = {
    "cli/processes.py": "seconds until a child process is stopped",
    "config/problems.py": "likeness of two words",
    "orchestration/sensors/folder.py": "seconds, times of files",
    "sync/states.py": "seconds between attempts",
    "systems/http.py": "seconds and waits of calls; bodies are bytes",
    "systems/limits.py": "calls a second",
    "systems/secrets.py": "positions of bits",
    "systems/tokens.py": "seconds a token lives",
    "systems/amazon/lwa.py": "seconds a token lives",
    "systems/amazon/spapi.py": "seconds and calls a second; documents are bytes",
}
"""Modules that know no amounts, and what their floats are."""

_REMARK = re.compile(r"#\s*not money:\s*(\S.*)?")
_FRAMES = {"df", "fetchdf", "fetch_df", "to_pandas", "fetchnumpy", "torch", "tf"}
_DIVIDE = "divide(): use a function of documents.money"
_MEANS = {"mean", "avg", "fmean", "median", "truediv", "floordiv", "fsum"}
_FLOAT_MODULES = {"math", "cmath", "statistics", "pandas"}
_ARROW = {"float16", "float32", "float64", "Float16", "Float32", "Float64", "double"}
_COLUMNS = {"Float", "FLOAT", "REAL", "Real", "Double", "DOUBLE", "DOUBLE_PRECISION"}
_SQL = re.compile(r"\b(?:SELECT|CAST|CREATE\s+(?:TABLE|VIEW)|INSERT|UPDATE)\b|::\s*[A-Za-z]")
_SQL_FLOAT = re.compile(r"\b(?:DOUBLE|FLOAT\d?|REAL)\b|\b(?:avg|mean|fsum|favg)\s*\(", re.IGNORECASE)
_QUOTED = re.compile(r"'(?:[^']|'')*'")
_PATHS = re.compile(r"\b(?:Path|UPath|PurePath|PurePosixPath)\b")
_PATH_MAKERS = {"Path", "UPath", "PurePath", "PurePosixPath"}
_PATH_PARTS = {
    "parent",
    "parents",
    "resolve",
    "expanduser",
    "absolute",
    "joinpath",
    "with_suffix",
    "with_name",
}
_MONEY_MODULES = {"decimal", "ledger_pipelines.documents.money"}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One place. line: 1-based."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(slots=True)
class _Names:
    """What the annotations of a module say is a path; `others` are names that are also something else."""

    paths: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)

    def see(self, name: str, annotation: ast.expr | None) -> None:
        """Take an annotation into account."""
        if annotation is not None:
            (self.paths if _PATHS.search(ast.unparse(annotation)) else self.others).add(name)

    def is_path(self, name: str) -> bool:
        """Whether everything that has this name in this module is a path."""
        return name in self.paths and name not in self.others


def check(source: str, path: str, *, free: str = "") -> list[Finding]:
    """What is forbidden in one module.

    Args:
        source: Its text.
        path: How it is called in findings.
        free: Why it may use floats, "" if it may not.
    """
    tree = ast.parse(source)
    remarks = dict(_remarks(source))
    found: set[Finding] = set()
    used: set[int] = set()
    for line, last, what in _Walk(tree).findings():
        if path == HOME and what == _DIVIDE:
            continue
        told = next((n for n in range(line, last + 1) if n in remarks), None)
        if told is not None:
            used.add(told)
        else:
            found.add(Finding(path, line, what))
    if free:
        money = [
            Finding(path, n, f"knows money, although it is listed as free: {free}") for n in _money(tree)
        ]
        unneeded = [] if found else [Finding(path, 1, "is listed in FREE and needs no exemption")]
        return sorted([*money, *unneeded])
    for line, why in remarks.items():
        if line not in used:
            found.add(Finding(path, line, "the remark `not money` allows nothing here"))
        elif not why:
            found.add(Finding(path, line, "the remark `not money` gives no reason"))
    return sorted(found)


def _remarks(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and (match := _REMARK.search(token.string)):
            yield token.start[0], match[1] or ""


def _money(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and _MONEY_MODULES & set(_imported(node)):
            yield node.lineno


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names]


class _Walk:
    """One module."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._names = _Names()
        self._skipped: set[int] = set()
        for node in ast.walk(tree):
            self._learn(node)
        # Twice: a path made of a path that is made further down.
        for _ in range(2):
            for node in ast.walk(tree):
                self._learn_assignment(node)

    def _learn(self, node: ast.AST) -> None:
        if isinstance(node, ast.AnnAssign):
            self._names.see(_last(node.target), node.annotation)
        elif isinstance(node, ast.arg):
            self._names.see(node.arg, node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self._names.see(node.name, node.returns)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in node.body:  # docstrings and the texts under fields
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                    self._skipped.add(id(statement.value))

    def _learn_assignment(self, node: ast.AST) -> None:
        pairs: list[tuple[ast.expr, ast.expr]] = []
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.For | ast.comprehension) and _makes_entries(node.iter):
            self._names.paths.add(_last(node.target))
        for target, value in pairs:
            if _last(target) and self._is_path(value):
                self._names.paths.add(_last(target))

    def _is_path(self, node: ast.expr) -> bool:
        """Whether an operand of `/` is known to be a path: by its annotation, or by what it is made of."""
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) if self._names.is_path(name):
                return True
            case ast.Attribute(attr=name) if name in _PATH_PARTS:
                return True
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                return name in _PATH_MAKERS | _PATH_PARTS or self._names.is_path(name)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._is_path(left) or _is_text(left) or _is_text(right)
            case _:
                return False

    def findings(self) -> Iterator[tuple[int, int, str]]:
        """First line, last line, what is wrong."""
        for node in ast.walk(self._tree):
            if id(node) in self._skipped or not isinstance(node, ast.expr | ast.arg):
                continue
            for what in self._wrong(node):
                yield node.lineno, node.end_lineno or node.lineno, what
            if isinstance(node, ast.JoinedStr):
                self._skipped |= {id(part) for part in node.values}
        for node in ast.walk(self._tree):
            for name in _imported(node) if isinstance(node, ast.Import | ast.ImportFrom) else ():
                if name.partition(".")[0] in _FLOAT_MODULES:
                    yield node.lineno, node.end_lineno or node.lineno, f"{name} computes with binary floats"
            if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div | ast.FloorDiv):
                yield node.lineno, node.end_lineno or node.lineno, "a division"

    def _wrong(self, node: ast.expr | ast.arg) -> Iterator[str]:
        match node:
            case ast.Constant(value=float()) | ast.Constant(value=complex()):
                yield f"the float {ast.unparse(node)}"
            case ast.Constant(value=str() as text):
                yield from _in_sql(text)
            case ast.JoinedStr(values=values):
                parts = (v.value if isinstance(v, ast.Constant) else " x " for v in values)
                yield from _in_sql("".join(str(part) for part in parts))
            case ast.Name(id="float", ctx=ast.Load()):
                yield "float"
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                if not (_is_text(left) or _is_text(right) or self._is_path(left)):
                    yield f"the division {ast.unparse(node)}: use a function of documents.money"
            case ast.BinOp(left=left, op=ast.FloorDiv()) if not _is_length(left):
                yield f"the division {ast.unparse(node)}: it drops the remainder"
            case ast.Call():
                yield from _wrong_call(node)
            case ast.Attribute(attr=name) if name in _ARROW or (name in _COLUMNS and _library(node)):
                yield f"a column of binary floats: {ast.unparse(node)}"
            case ast.Name(id=name) if name in _COLUMNS:
                yield f"a column of binary floats: {name}"
            case _:
                return


def _wrong_call(node: ast.Call) -> Iterator[str]:
    name = _last(node.func)
    keywords = {keyword.arg for keyword in node.keywords}
    whole = ast.unparse(node.func)
    if isinstance(node.func, ast.Name) and name == "round":
        yield "round(): use documents.money.round_half_away"
    elif isinstance(node.func, ast.Attribute) and name in _FRAMES:
        yield f".{name}() makes floats of DECIMAL"
    elif name in {"divide", "divide_int"}:
        yield _DIVIDE
    elif name in _MEANS:
        yield f"{name}() divides, or sums binary floats: use a function of documents.money"
    elif whole in {"json.loads", "json.load"} and "parse_float" not in keywords:
        yield f"{whole} without parse_float makes floats of amounts: use documents.keys.decode"
    elif whole == "msgspec.json.decode" and not keywords & {"type", "float_hook"}:
        yield "msgspec.json.decode without a type makes floats of amounts: use documents.keys.decode"
    elif whole in {"orjson.loads", "response.json"}:
        yield f"{whole} makes floats of amounts: use documents.keys.decode"
    elif name == "isclose":
        yield "isclose: amounts are equal or not"


def _in_sql(text: str) -> Iterator[str]:
    if not _SQL.search(text):
        return
    bare = _QUOTED.sub("''", text)
    for match in _SQL_FLOAT.finditer(bare):
        yield f"SQL that makes binary floats: {match[0]}"
    if "/" in bare:
        yield "SQL that divides: `/` on DECIMAL gives DOUBLE"


def _library(node: ast.Attribute) -> bool:
    return _last(node.value) in {"sa", "sqlalchemy", "types", "postgresql", "sqlite", "pl", "pa", "duckdb"}


def _makes_entries(node: ast.expr) -> bool:
    return any(
        isinstance(part, ast.Attribute) and part.attr in {"glob", "rglob", "iterdir"}
        for part in ast.walk(node)
    )


def _is_text(node: ast.expr) -> bool:
    """A text beside `/` joins a path: a Decimal cannot be divided by one."""
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_length(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len"


def _last(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def modules(root: Path = PACKAGE) -> Iterator[tuple[str, Path]]:
    """Every module of the product, by its place in the package."""
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if not name.startswith(tuple(f"{folder}/" for folder in OUTSIDE)):
            yield name, path


def findings(chosen: Iterable[tuple[str, Path]] | None = None) -> list[Finding]:
    """Everything that is forbidden, in every module of the product or in the `chosen` ones."""
    named = list(modules() if chosen is None else chosen)
    found = [one for name, path in named for one in check(path.read_text(), name, free=FREE.get(name, ""))]
    if chosen is None:
        known = {name for name, _ in named}
        found += [
            Finding(name, 1, "is listed in FREE and is not there") for name in FREE if name not in known
        ]
    return found


def main(arguments: Sequence[str]) -> int:
    """The command."""
    chosen = [(argument, Path(argument)) for argument in arguments] or None
    found = findings(chosen)
    for one in found:
        sys.stdout.write(f"{one}\n")
    count = len(list(modules())) if chosen is None else len(chosen)
    sys.stdout.write(f"money: {len(found)} findings in {count} modules\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
