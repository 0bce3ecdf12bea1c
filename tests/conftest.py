"""Real parts for all tests: one stack with a local store, one with S3, started when asked for."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from chaos_kit.s3 import SwitchedS3, switched_s3
from e2e_client import ADMIN, KEYS, SECRET
from receiver import Receiver
from stack import Stack, running_stack

LOG_CHARS: Final = 3000
STACKS: Final = ("local_stack", "s3_stack", "vision_stack")


def stack_settings() -> dict[str, str]:
    return {
        "API_KEYS": ",".join(KEYS),
        "ADMIN_TOKEN": ADMIN,
        "DEDUP2D_CALLBACK_HMAC_SECRET": SECRET,
        "DEDUP2D_CALLBACK_ALLOW_HTTP": "1",
        "DEDUP2D_CALLBACK_BLOCK_PRIVATE_NETWORKS": "0",
        "DEDUP2D_CALLBACK_ALLOWLIST": "127.0.0.1",
    }


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Of several test processes, one runs all that shares a stack, and each file is one's whole."""
    for item in items:
        shared = next((name for name in STACKS if name in item.fixturenames), item.path.name)
        item.add_marker(pytest.mark.xdist_group(shared))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure on a running stack shows the ends of its processes' logs."""
    report = yield
    if report.failed:
        stacks = [value for value in item.funcargs.values() if isinstance(value, Stack)]
        for log in (log for stack in stacks for log in sorted(stack.data.rglob("logs/*.log"))):
            report.sections.append((log.name, log.read_text(errors="replace")[-LOG_CHARS:]))
    return report


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small vault, and queries with known truth."""
    from dedup2d.samples import generate  # noqa: PLC0415 - only tests with drawings pay for it

    folder = tmp_path_factory.mktemp("samples")
    generate(folder, parts=8)
    return folder


def _with_vault(stack: Stack, samples: Path) -> None:
    with stack.client(KEYS[0]) as gateway:
        for path in sorted((samples / "vault").glob("*.dxf")):
            files = {"file": (path.name, path.read_bytes())}
            gateway.post("/index/add", files=files).raise_for_status()


@pytest.fixture(scope="session")
def local_stack(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Iterator[Stack]:
    """The whole stack with a local store and an indexed vault."""
    with running_stack(tmp_path_factory.mktemp("local"), stack_settings()) as stack:
        _with_vault(stack, samples)
        yield stack


@pytest.fixture(scope="session")
def switched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwitchedS3]:
    """A moto server over HTTP that can be told to say 503."""
    with switched_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def s3_stack(
    tmp_path_factory: pytest.TempPathFactory, samples: Path, switched: SwitchedS3
) -> Iterator[Stack]:
    """The whole stack with an S3 store and an indexed vault."""
    environ = stack_settings() | dict(switched.settings)
    with running_stack(tmp_path_factory.mktemp("s3-stack"), environ) as stack:
        _with_vault(stack, samples)
        yield stack


@pytest.fixture
def gateway(local_stack: Stack) -> Iterator[httpx.Client]:
    """Tenant a, at the stack with the local store."""
    with local_stack.client(KEYS[0]) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook receiver on this machine."""
    with Receiver() as listening:
        yield listening
