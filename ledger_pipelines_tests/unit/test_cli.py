"""The command line: what it prints where, and its exit codes."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from ledger_pipelines.cli import main
from ledger_pipelines.cli.drops import drop_file
from ledger_pipelines.cli.output import report_unexpected
from ledger_pipelines.cli.processes import sandbox_environment
from ledger_pipelines.config.load import load_config
from ledger_pipelines.errors import ConfigurationError, DataError
from ledger_pipelines.integrations.kinds import KINDS

CONFIG = """
books: {time_zone: UTC}
connections:
  shop:
    system: amazon
    seller: Acme
    region: na
    currencies: [USD]
    sandbox: true
    base_url: http://127.0.0.1:9
    start_date: 2026-01-01
    drop: {path: drop, max_bytes: 20}
    api: {client_id_env: LEDGER_T_ID, client_secret_env: LEDGER_T_SECRET, refresh_token_env: LEDGER_T_TOKEN}
  books:
    system: netsuite
    account: 9123456_SB2
    sandbox: true
    base_url: http://127.0.0.1:9
    start_date: 2026-01-01
    auth: {client_id_env: LEDGER_T_CLIENT, certificate_id_env: LEDGER_T_CERT, private_key_env: LEDGER_T_PEM}
  lost: {system: amazon}
integrations:
  settlements: {kind: amazon_netsuite, source: shop, target: books}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "ledger.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LEDGER_CONFIG", raising=False)
    for name in [name for name in os.environ if name.startswith("LEDGER_T_")]:
        monkeypatch.delenv(name)
    return tmp_path


def test_help_lists_every_command_and_is_quick() -> None:
    def seconds(*arguments: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        return time.perf_counter() - start

    code = "from ledger_pipelines.cli import main; import sys; main(['--help']); sys.exit(any(m in sys.modules for m in %r))"
    heavy = ("dagster", "duckdb", "pyarrow", "pandas", "sqlalchemy", "httpx", "pydantic", "starlette")
    whole = subprocess.run(
        [sys.executable, "-c", code % (heavy,)], check=True, capture_output=True, text=True
    )
    for command in (
        "demo", "sandbox", "check", "options", "settlement", "drop", "plan", "run", "status", "errors", "retry",
        "ignore", "resume", "config", "seed-books",
    ):  # fmt: skip
        assert command in whole.stdout
    # Generous: other tests share the machine. What keeps it quick is that nothing heavy is imported.
    assert min(seconds("-c", "from ledger_pipelines.cli import main; main(['--help'])") for _ in range(2)) < 2


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["plan"], ["sandbox", "--seed", "wrong"], ["drop"], ["options"], ["config", "x"]],
)
def test_wrong_use_ends_with_two_and_says_why_on_stderr(
    arguments: list[str], capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.strip()


def test_an_absent_configuration_ends_with_two_one_message_and_no_traceback(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 2
    captured = capsys.readouterr()
    assert "There is no configuration file ledger.yaml" in captured.err
    assert "LEDGER_CONFIG" in captured.err
    assert "Traceback" not in captured.err


def test_check_names_every_missing_variable_and_the_connection_left_out(
    capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    assert main(["check", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    secrets = {one["connection"]: one["text"] for one in found if one["what"] == "secrets"}
    assert secrets["books"].endswith("LEDGER_T_CLIENT, LEDGER_T_CERT, LEDGER_T_PEM")
    assert secrets["shop"].endswith("LEDGER_T_ID, LEDGER_T_SECRET, LEDGER_T_TOKEN")
    left_out = [one for one in found if one["what"] == "configuration"]
    assert {one["connection"] for one in left_out} == {"connections.lost"}
    assert not any(one["ok"] for one in left_out)


def test_check_for_people_says_what_to_do(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    assert main(["check"]) == 1
    shown = capsys.readouterr().out
    assert (
        "books\n  NO  secrets: not set in the environment: LEDGER_T_CLIENT, LEDGER_T_CERT, LEDGER_T_PEM\n"
        in shown
    )
    assert "      -> Set them;" in shown


def test_an_unreachable_login_is_one_finding_with_a_remedy(
    capsys: pytest.CaptureFixture[str], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LEDGER_T_ID", "LEDGER_T_SECRET", "LEDGER_T_TOKEN"):
        monkeypatch.setenv(name, "canary-value")
    assert main(["check", "--json"]) == 1
    output = capsys.readouterr().out
    login = next(one for one in json.loads(output) if one["connection"] == "shop" and one["what"] == "login")
    assert "cannot be reached" in login["text"]
    assert login["remedy"] == "Start the sandbox: ledger-pipelines sandbox"
    assert "canary-value" not in output


def test_the_schema_is_pure_json_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "ledger.yaml"


def test_options_of_a_connection_left_out_says_so(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    assert main(["options", "lost"]) == 2
    assert "The connection lost is left out because of the problems above." in capsys.readouterr().err
    assert main(["options", "nobody"]) == 2
    assert "There are: shop, books." in capsys.readouterr().err
    assert main(["options", "shop"]) == 2
    assert "Name a NetSuite, Neto, Saasu or Cin7 connection." in capsys.readouterr().err


def test_drop_puts_the_file_whole_into_the_only_drop_folder(
    capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    file = project / "settlement.txt"
    file.write_bytes(b"settlement-id\n1\n")
    assert main(["drop", str(file)]) == 0
    assert (project / "drop" / "settlement.txt").read_bytes() == file.read_bytes()
    assert [entry.name for entry in (project / "drop").iterdir()] == ["settlement.txt"]
    assert capsys.readouterr().out == ""
    assert main(["drop", str(file)]) == 0, "the same content again changes nothing"
    file.write_bytes(b"settlement-id\n2\n")
    assert main(["drop", str(file)]) == 1, "another content under the same name is not overwritten"
    assert (project / "drop" / "settlement.txt").read_bytes() == b"settlement-id\n1\n"


def test_a_file_over_the_limit_is_not_dropped(project: Path) -> None:
    connection = load_config(project / "ledger.yaml", KINDS).config.amazon("shop")
    file = project / "large.txt"
    file.write_bytes(b"x" * 21)
    with pytest.raises(DataError, match="21 bytes; the connection takes 20"):
        drop_file(connection, file)
    with pytest.raises(ConfigurationError, match="no file"):
        drop_file(connection, project / "absent.txt")


def test_only_sandbox_connections_get_the_sandbox_credentials(project: Path) -> None:
    given = {
        "amazon": {"client_id": "id", "client_secret": "secret", "refresh_token": "token"},
        "netsuite": {
            "account": "x",
            "auth": {"m2m": {"client_id": "c", "certificate_id": "k", "private_key_pem": "pem"}},
        },
    }
    config = load_config(project / "ledger.yaml", KINDS).config
    assert sandbox_environment(config, given) == {
        "LEDGER_T_ID": "id",
        "LEDGER_T_SECRET": "secret",
        "LEDGER_T_TOKEN": "token",
        "LEDGER_T_CLIENT": "c",
        "LEDGER_T_CERT": "k",
        "LEDGER_T_PEM": "pem",
    }
    text = CONFIG.replace("    sandbox: true\n    base_url: http://127.0.0.1:9\n", "")
    (project / "ledger.yaml").write_text(text)
    assert sandbox_environment(load_config(project / "ledger.yaml", KINDS).config, given) == {}


def test_the_unexpected_is_one_line_with_the_place_of_the_full_report_and_no_secret(
    capsys: pytest.CaptureFixture[str], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_T_SECRET", "canary-5512")
    (project / ".ledger").mkdir()
    error = RuntimeError("token canary-5512 was odd")
    with contextlib.suppress(RuntimeError):
        raise error
    report_unexpected(RuntimeError, error, error.__traceback__)
    said = capsys.readouterr().err
    log = project / ".ledger" / "logs" / "ledger-pipelines-error.log"
    assert ".ledger/logs/ledger-pipelines-error.log" in said
    assert "RuntimeError: token *** was odd" in said
    assert "Traceback" not in said
    assert "Traceback" in log.read_text()
    assert "canary-5512" not in said + log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_sandbox_that_is_being_started_is_waited_for_and_one_that_is_not_there_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's lines are copied as a block: `sandbox &`, then `eval "$(... sandbox-env)"`."""
    from ledger_pipelines.cli import processes  # noqa: PLC0415 (heavy)

    monkeypatch.setenv("LEDGER_CONFIG", str(Path(__file__).parents[2] / "ledger.yaml"))
    refusals = iter([True, True, False])

    def answer(address: str, **_how: object) -> httpx.Response:
        request = httpx.Request("GET", address)
        if next(refusals, True):
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(200, json={"neto": {"api_key": "k"}}, request=request)

    monkeypatch.setattr(httpx, "get", answer)
    assert main(["config", "sandbox-env"]) == 0
    assert "export LEDGER_NETO_KEY=k" in capsys.readouterr().out
    monkeypatch.setattr(processes, "STARTING_SECONDS", 0.0)
    assert main(["config", "sandbox-env"]) == 2
    assert "No sandbox answers at http://127.0.0.1:8700" in capsys.readouterr().err


def test_the_running_sandbox_gives_every_variable_that_the_shipped_file_names(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ledger_pipelines.sandbox.server import running_sandbox  # noqa: PLC0415 (heavy)

    shipped = Path(__file__).parents[2] / "ledger.yaml"
    monkeypatch.setenv("LEDGER_CONFIG", str(shipped))
    config = load_config(shipped, KINDS).config
    with running_sandbox(seed="empty") as sandbox:
        given = sandbox_environment(config, sandbox.credentials)
        assert main(["config", "sandbox-env", "--control", sandbox.control_url]) == 0
    wanted = {name for connection in config.connections.values() for name in connection.variables()}
    assert set(given) == wanted
    assert "PRIVATE KEY" in given["LEDGER_NETSUITE_PRIVATE_KEY"]
    assert sandbox.credentials["netsuite"]["account"] == config.netsuite("netsuite").realm
    shell = subprocess.run(
        ["sh", "-c", f"{capsys.readouterr().out}env -0"], check=True, capture_output=True, env={}
    )
    exported = dict(line.split("=", 1) for line in shell.stdout.decode().split("\0") if "=" in line)
    assert {name: exported.get(name) for name in given} == given
