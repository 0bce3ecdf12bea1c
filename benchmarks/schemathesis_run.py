"""Thousands of requests generated from the OpenAPI document against a whole running stack.

    python benchmarks/schemathesis_run.py --examples 300 --seed 7

Every answer is held to the document by all of schemathesis' checks but one (tests/contract/
schemathesis.toml says why). Prints the answers by status and what failed; ends with 1 if
anything did. The same walk, shorter, is a test: tests/contract/test_contract_openapi.py.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "deployments" / "demo"), str(ROOT / "tests" / "contract")]

from conformance import walk  # noqa: E402
from stack import running_stack  # noqa: E402

KEY, ADMIN = "walker", "administrator"
LEAST = 5_000  # requests


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=int, default=400, help="per operation and phase")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--url", help="of a gateway that runs already, with its --key and --admin")
    parser.add_argument("--key", default=KEY)
    parser.add_argument("--admin", default=ADMIN)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.url:
            return _walk(options.url, options, Path(folder))
        environ = {"API_KEYS": options.key, "ADMIN_TOKEN": options.admin}
        with running_stack(Path(folder) / "data", environ) as stack:
            return _walk(f"http://127.0.0.1:{stack.port}", options, Path(folder))


def _walk(url: str, options: argparse.Namespace, folder: Path) -> int:
    begun = time.monotonic()
    walked = walk(
        url,
        key=options.key,
        admin=options.admin,
        examples=options.examples,
        seed=options.seed,
        folder=folder,
    )
    if walked.failures:
        print(walked.text)
    took = time.monotonic() - begun
    print(f"seed {options.seed}: {walked.requests} requests to {walked.operations} operations")
    print(f"{took:.0f} s, {len(walked.failures)} failures")
    for status, count in sorted(walked.statuses.items()):
        print(f"{status}  {count:6}")
    enough = walked.requests >= LEAST
    if not enough:
        print(f"fewer than {LEAST} requests: raise --examples")
    faults = [status for status in walked.statuses if status >= 500]
    return 1 if walked.failures or faults or not enough else 0


if __name__ == "__main__":
    sys.exit(main())
