"""The running stack as clients of the predecessor see it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from e2e_client import ADMIN, KEYS
from predecessors_client import PredecessorsClient
from stack import PatientTransport, Stack


@pytest.fixture(scope="module")
def http(local_stack: Stack) -> Iterator[httpx.Client]:
    base = f"http://127.0.0.1:{local_stack.port}"
    with httpx.Client(base_url=base, transport=PatientTransport(), timeout=120) as client:
        yield client


@pytest.fixture
def client(http: httpx.Client) -> Iterator[PredecessorsClient]:
    """Tenant a, which has the vault; its configuration is empty before and after."""
    client = PredecessorsClient(http, KEYS[0])
    administrator = PredecessorsClient(http, KEYS[0], ADMIN)
    administrator.delete_config()
    yield client
    administrator.delete_config()


@pytest.fixture
def administrator(client: PredecessorsClient) -> PredecessorsClient:
    return PredecessorsClient(client.http, client.key, ADMIN)


@pytest.fixture
def other(http: httpx.Client) -> PredecessorsClient:
    """Another tenant."""
    return PredecessorsClient(http, KEYS[1])


@pytest.fixture(scope="session")
def drawing(samples: Path) -> tuple[str, bytes]:
    """A drawing of the vault."""
    path = min((samples / "vault").glob("*.dxf"))
    return path.name, path.read_bytes()


@pytest.fixture(scope="session")
def geometry() -> bytes:
    """Geometry JSON of a plate with a hole."""
    corners = [[0, 0], [100, 0], [100, 50], [0, 50]]
    plate = {"type": "LWPOLYLINE", "layer": "0", "points": corners, "closed": True}
    hole = {"type": "CIRCLE", "layer": "0", "center": [20, 20], "radius": 5}
    document = {
        "layers": {"0": {"color": 7, "linetype": "CONTINUOUS"}},
        "entities": [plate, hole],
        "text_content": ["s235"],
    }
    return json.dumps(document).encode()
