"""Looking for secrets in everything that was left: by value, however they are spelt.

Belongs here: spellings, files and what is packed in them, permissions of token files. Does not belong here: making a run.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

import pyarrow.parquet as pq

SHORTEST = 8
TOKENS = (".token", ".refresh")
"""Files that hold tokens."""
VARIABLE = "variable "
"""How what came from the environment is named: it lasts, and is never stored."""


def spellings(value: str) -> dict[bytes, str]:
    """Every form a value may take in a file, with the form's name."""
    raw = value.encode()
    found = {
        raw: "raw",
        quote(value, safe="").encode(): "URL-encoded",
        quote_plus(value).encode(): "URL-encoded",
        json.dumps(value)[1:-1].encode(): "as JSON",
        json.dumps(json.dumps(value)[1:-1])[1:-1].encode(): "as JSON in JSON",
        repr(value)[1:-1].encode(): "as repr",
        raw.hex().encode(): "hex",
        raw.hex().upper().encode(): "hex",
    }
    found[raw] = "raw"
    found |= {re.sub(rb"%[0-9A-F]{2}", lambda m: m[0].lower(), form): name for form, name in found.items()}
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + raw)
        first, last = (lead * 8 + 5) // 6, (lead + len(raw)) * 8 // 6
        core = encoded[first:last]
        found |= {core: "base64", core.translate(bytes.maketrans(b"+/", b"-_")): "base64"}
    return {form: name for form, name in found.items() if len(form) >= SHORTEST}


def forms(secrets: Mapping[str, str]) -> dict[bytes, tuple[str, str]]:
    """Form -> (which secret, how it is spelt). A text of several lines is looked for line by line, too.

    Args:
        secrets: Value -> what it is.
    """
    found: dict[bytes, tuple[str, str]] = {}
    for value, what in secrets.items():
        lines = [line for line in value.split("\n") if len(line) >= 24 and not line.startswith("-----")]
        for one in [value.strip(), *(lines[:3] if "\n" in value else [])]:
            found.update({form: (what, name) for form, name in spellings(one).items()})
    return found


class Scanner:
    """Looks for these secrets."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._forms = forms(secrets)
        self._pattern = re.compile(
            b"|".join(re.escape(f) for f in sorted(self._forms, key=len, reverse=True))
        )

    def inside(self, content: bytes) -> set[tuple[str, str]]:
        """Which secrets are in it, and how they are spelt."""
        return {self._forms[match[0]] for match in self._pattern.finditer(content)}

    def around(self, content: bytes) -> str:
        """What stands before the first one, to find where it came from."""
        match = self._pattern.search(content)
        return (
            ""
            if match is None
            else content[max(0, match.start() - 60) : match.start()].decode("utf-8", "replace")
        )


def contents(path: Path) -> Iterator[bytes]:
    """A file's bytes, and what is packed in it."""
    raw = path.read_bytes()
    yield raw
    if raw.startswith(b"PAR1"):
        file = pq.ParquetFile(path)
        yield str(file.schema_arrow.metadata).encode()
        yield "\n".join(map(str, file.read().to_pylist())).encode()
    elif raw.startswith(b"\x1f\x8b"):
        yield gzip.decompress(raw)


def leaks(root: Path, secrets: Mapping[str, str]) -> tuple[int, list[str]]:
    """Files looked at, and a sentence for each secret found in one. Files of tokens may hold tokens, and nothing else."""
    scanner = Scanner(secrets)
    lasting = Scanner({value: what for value, what in secrets.items() if what.startswith(VARIABLE)})
    issued = [value.encode() for value, what in secrets.items() if not what.startswith(VARIABLE)]
    found: list[str] = []
    count = 0
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        count += 1
        name = path.relative_to(root).as_posix()
        token = path.suffix in TOKENS
        if token:
            found += _permissions(path, name)
        for content in contents(path):
            chosen = lasting if token else scanner
            for own in issued if token else ():  # a token itself may name the client it belongs to
                content = content.replace(own, b"")  # noqa: PLW2901
            for what, form in sorted(chosen.inside(content)):
                found.append(f"{name} holds {what}, {form}, after {chosen.around(content)!r}.")
        if scanner.inside(name.encode()):
            found.append(f"The name of {name} holds a secret.")
    return count, found


def _permissions(path: Path, name: str) -> list[str]:
    modes = (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode))
    if modes == (0o600, 0o700):
        return []
    return [f"{name} is {modes[0]:o} in a folder {modes[1]:o}, not 600 in 700."]
