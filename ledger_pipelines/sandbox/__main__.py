"""``python -m ledger_pipelines.sandbox``: the sandbox by itself, without the product's command line."""

import argparse
import sys
from pathlib import Path

from ledger_pipelines.sandbox.control import SEEDS
from ledger_pipelines.sandbox.server import DEFAULT_PORT, SandboxStartError, run_sandbox


def main(arguments: list[str] | None = None) -> int:
    """Parse the arguments and run; 0 after a signal, 2 when it cannot start."""
    parser = argparse.ArgumentParser(
        prog="python -m ledger_pipelines.sandbox", description="The vendors' APIs, locally."
    )
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="control port; 0 = free ports (default %(default)s)"
    )
    parser.add_argument(
        "--seed", choices=SEEDS, default="demo", help="what a new state begins with (default %(default)s)"
    )
    parser.add_argument(
        "--state", type=Path, default=None, help="SQLite file that keeps the state (default: memory)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="loopback address (default %(default)s)")
    parser.add_argument("--vendors", default=None, help="only these, separated by commas (default: all)")
    given = parser.parse_args(arguments)
    vendors = None if given.vendors is None else tuple(given.vendors.split(","))
    try:
        run_sandbox(port=given.port, seed=given.seed, state=given.state, host=given.host, vendors=vendors)
    except SandboxStartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
