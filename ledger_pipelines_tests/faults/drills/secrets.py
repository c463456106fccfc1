"""The drill `secrets`: no credential shows in anything that a run leaves behind, however the run ends.

Belongs here: cases, the environment with the canaries, the verdict. Does not belong here: looking (`secrets_scan`), the
wire (`secrets_proxy`), the process (`secrets_child`).

Cases: `INTEGRATION:WHERE:HOW`. WHERE: `cli` or `dagster`. HOW: a mood of the wire (`secrets_proxy.Mood`), or
`wrong` (every credential is a canary that is refused), `no-key` (a canary where a key should be), `tls` (no TLS where it
is asked for), `other-login` (the other way to log in), `journal` (a journal behind a password that cannot be reached).
"""

from __future__ import annotations

import os
import random
import shutil
import string
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from ruamel.yaml import YAML

from ledger_pipelines.cli.processes import sandbox_environment
from ledger_pipelines.config.load import load_config
from ledger_pipelines.integrations.kinds import KINDS
from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines_tests.faults import secrets_child
from ledger_pipelines_tests.faults.entries import BY_DAYS, ENTRIES, SETTLEMENTS, Entry, Scene
from ledger_pipelines_tests.faults.kit import Drill, Verdict
from ledger_pipelines_tests.faults.mutants import VARIABLE
from ledger_pipelines_tests.faults.nursery import Nursery
from ledger_pipelines_tests.faults.secrets_child import ERR, OUT
from ledger_pipelines_tests.faults.secrets_proxy import Mood, Proxy, proxy
from ledger_pipelines_tests.faults.secrets_scan import VARIABLE as LASTING
from ledger_pipelines_tests.faults.secrets_scan import leaks

ROOT = Path(__file__).parents[3]
WRONG, NO_KEY, TLS, OTHER, JOURNAL = "wrong", "no-key", "tls", "other-login", "journal"
_FAST = (("cli", Mood.REDIRECT.value),)
_CLI = (*[mood.value for mood in Mood], WRONG, NO_KEY, TLS, OTHER, JOURNAL)
_DAGSTER = (Mood.PASS.value, Mood.ECHO.value, Mood.ECHO_LOGIN.value, WRONG, OTHER)
_OTHER_WAYS: Mapping[str, Mapping[str, str]] = {
    "netsuite": {
        "method": "tba", "consumer_key_env": "LEDGER_CANARY_KEY", "consumer_secret_env": "LEDGER_CANARY_SECRET",
        "token_id_env": "LEDGER_CANARY_TOKEN", "token_secret_env": "LEDGER_CANARY_TOKEN_SECRET",
    },
    "neto": {"method": "app", "client_id_env": "LEDGER_CANARY_APP", "access_token_env": "LEDGER_CANARY_APP_TOKEN"},
    "saasu": {"method": "access_key", "access_key_env": "LEDGER_CANARY_ACCESS_KEY"},
}  # fmt: skip
OTHER_ECHO = "other-login-echo"
_BY_DAYS = (
    ("cli", Mood.ECHO_LOGIN.value), ("cli", Mood.REFUSE.value), ("cli", Mood.REDIRECT.value), ("cli", WRONG), ("cli", OTHER), ("cli", OTHER_ECHO),
    ("dagster", Mood.PASS.value), ("dagster", Mood.ECHO_LOGIN.value), ("dagster", OTHER_ECHO),
)  # fmt: skip
"""Of an integration by days; a shop's other login is a key that travels in addresses."""
_PATIENCE = 180
CANARY, BEGINNING = "cAn4ry|", 16


class DRILL(Drill):
    """Canaries in the environment, everything searched."""

    name = "secrets"
    shards = 2
    weight = 2
    shows = "no credential, in any spelling, in logs, Dagster's home, plans, journal, files or errors; tokens 0600"

    @cached_property
    def _sandbox(self) -> RunningSandbox:
        return self.stack.enter_context(running_sandbox(seed="demo"))

    @cached_property
    def _nursery(self) -> Nursery:
        return self.stack.enter_context(Nursery(secrets_child.LOADED))

    def cases(self) -> Sequence[str]:
        """Each way to run with each way to go wrong, for each integration."""
        full = [*(("cli", how) for how in _CLI), *(("dagster", how) for how in _DAGSTER)]
        found = [
            f"{name}:{where}:{how}"
            for name in SETTLEMENTS
            for where, how in (_FAST if self.setting.fast else full)
        ]
        if not self.setting.fast:
            found += [
                f"{name}:{where}:{_fitting(how, entry)}"
                for name, entry in BY_DAYS.items()
                for where, how in _BY_DAYS
            ]
        return found

    def must_reach(self) -> Collection[str]:
        """Every case really met its trouble."""
        return self.cases()

    def carry_out(self, case: str) -> Verdict:
        """Run in a process of its own, then look into everything it left.

        With a good end that is an interpreter of its own, from its first line; else one forked from an interpreter that has
        loaded the product, without canaries.
        """
        name, where, how = case.split(":")
        folder = self.setting.folder / case.replace(":", "-")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        mood = Mood(how) if how in set(Mood) else Mood.ECHO if how == OTHER_ECHO else Mood.PASS
        with proxy(mood) as wire:
            secrets, code = self._run(ENTRIES[name], where, how, folder, wire)
        secrets |= wire.seen.values
        count, found = leaks(folder, secrets)
        text = (folder / ERR).read_text(errors="replace")
        met = _met(how, wire, text, set(secrets.values()))
        problems = list(dict.fromkeys(found))
        if code:
            problems.append(f"The process ended with {code}: {text[-300:]}")
        if not met:
            problems.append(
                f"The trouble {how!r} was never met: nothing is proved ({wire.seen.calls} calls)."
            )
        figures = {
            "files": count,
            "secrets": len(secrets),
            "calls": wire.seen.calls,
            "disturbed": wire.seen.disturbed,
        }
        return Verdict(case, tuple(problems), figures, frozenset({case} if met else ()))

    def _run(
        self, entry: Entry[Any], where: str, how: str, folder: Path, wire: Proxy
    ) -> tuple[dict[str, str], int]:
        scene = entry.scenes["small"]
        given = self._installed(entry, scene, how, folder, wire)
        # What that installation left was left without canaries being looked for: begin anew.
        shutil.rmtree(folder / "data", ignore_errors=True)
        (folder / "again.txt").write_bytes(scene.content)
        home = folder / "dagster_home"
        home.mkdir()
        shutil.copy(ROOT / "dagster.yaml", home)
        (folder / "tmp").mkdir()
        environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("LEDGER_", "DAGSTER_"))},
            **given,
            "LEDGER_CONFIG": str(folder / "ledger.yaml"), "DAGSTER_HOME": str(home), "TMPDIR": str(folder / "tmp"),
            "DAGSTER_DISABLE_TELEMETRY": "1", "PYTHONPATH": str(ROOT), VARIABLE: self.setting.mutant,
        }  # fmt: skip
        arguments = [where, scene.partition, str(folder / "again.txt"), entry.name]
        if how == Mood.PASS or self.setting.fast:
            command = [sys.executable, "-m", secrets_child.__name__, *arguments]
            with (folder / OUT).open("wb") as out, (folder / ERR).open("wb") as err:
                code = subprocess.run(
                    command, env=environ, cwd=folder, stdout=out, stderr=err, check=False, timeout=_PATIENCE
                ).returncode
        else:
            code = self._nursery.run(secrets_child.forked, arguments, environ, folder, patience=_PATIENCE)
        secrets = {value: f"{LASTING}{name}" for name, value in given.items()}
        # Cut off in the middle, a secret is shown in part.
        parts = {
            v[:BEGINNING]: f"{what}, its beginning" for v, what in secrets.items() if v.startswith(CANARY)
        }
        return secrets | parts, code

    def _installed(
        self, entry: Entry[Any], scene: Scene, how: str, folder: Path, wire: Proxy
    ) -> dict[str, str]:
        """The books before the scene, and the configuration and variables of the case."""
        clock = {"offset_seconds": -entry.lasts}
        httpx.post(f"{self._sandbox.control_url}/clock", json=clock, trust_env=False).raise_for_status()
        stage = entry.open(self._sandbox, folder)
        try:
            if entry.name in SETTLEMENTS:
                stage.control.post("/reset", json={"seed": "demo"}).raise_for_status()
                stage.arrive(scene.content)
            else:
                kept = self.setting.folder / f"kept-{folder.name}"
                kept.mkdir()
                entry.prepare(stage, scene, kept)
            return self._environment(entry, how, folder, wire)
        finally:
            stage.close()

    def _environment(self, entry: Entry[Any], how: str, folder: Path, wire: Proxy) -> dict[str, str]:
        """The variables that the connections name, and the configuration changed for the case."""
        path = folder / "ledger.yaml"
        yaml = YAML()
        document = yaml.load(path.read_text())
        # No other account is asked: there is none behind the proxy.
        own = document["integrations"][entry.name]
        document["integrations"] = {entry.name: own}
        document["connections"] = {
            name: one
            for name, one in document["connections"].items()
            if name in (own["source"], own["target"])
        }
        for connection in document["connections"].values():
            connection["proxy"] = wire.address
            if how in (OTHER, OTHER_ECHO) and connection["system"] in _OTHER_WAYS:
                connection["auth"] = dict(_OTHER_WAYS[connection["system"]])
            if how == TLS:
                for field in ("base_url", "token_url"):
                    if connection.get(field):
                        connection[field] = connection[field].replace("http://", "https://")
        if how == JOURNAL:
            document["journal_url_env"] = "LEDGER_CANARY_JOURNAL"
        with path.open("w") as out:
            yaml.dump(document, out)
        given = sandbox_environment(load_config(path, KINDS).config, self._sandbox.credentials)
        if how in (WRONG, NO_KEY, Mood.ECHO_LOGIN.value):
            pem = how != NO_KEY
            given = {k: v if pem and v.startswith("-----") else self._canary(k) for k, v in given.items()}
        if how == JOURNAL:
            given["LEDGER_CANARY_JOURNAL"] = f"postgresql://books:{self._canary('journal')}@127.0.0.1:9/books"
        return given

    def _canary(self, name: str) -> str:
        """A value like no other, with characters that each spelling treats differently."""
        chooser = random.Random(f"{self.setting.seed}/{name}")
        letters = "".join(chooser.choices(string.ascii_letters + string.digits, k=24))
        return (
            f"canary-{letters[:12]}~{letters[12:]}"
            if name == "journal"
            else f'{CANARY}{letters[:12]}+/"{letters[12:]}='
        )


def _fitting(how: str, entry: Entry[Any]) -> str:
    """Where there is no call to log in, each call is answered with what it was sent."""
    return how if entry.logs_in or how != Mood.ECHO_LOGIN else Mood.ECHO.value


def _met(how: str, wire: Proxy, text: str, secrets: set[str]) -> bool:
    """Whether what the case is about has happened: otherwise its silence proves nothing."""
    if how == OTHER and any("ACCESS_KEY" in what for what in secrets):
        return wire.seen.calls > 0  # a key of addresses: nothing is issued for it
    if how in {Mood.PASS.value, OTHER}:
        issued = {what for what in secrets if not what.startswith(LASTING)}
        return bool(issued) and wire.seen.calls > 0
    if how == WRONG:
        return wire.seen.calls > 0 and "refuse" in text
    if how == NO_KEY:
        return "key" in text
    if how == JOURNAL:
        return "127.0.0.1" in text or "journal" in text.lower()
    return wire.seen.disturbed > 0
