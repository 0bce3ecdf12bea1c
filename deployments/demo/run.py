"""``make demo``: the main job end to end on this machine, with real parts, and a check of it.

Generates drawings, starts the stack (Redis, Prefect server, gateway, worker), indexes a vault,
submits six drawings over HTTP with a callback, and verifies verdicts, webhooks and cleanup.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from contextlib import ExitStack
from typing import Any, Final

import httpx
import psutil
import redis
from receiver import Receiver
from rich.console import Console
from rich.progress import track
from rich.table import Table
from stack import BUCKET, ROOT, running_stack, s3_client, s3_server

from dedup2d.samples import generate
from dedup2d.webhooks.signature import verify

DATA: Final = ROOT / "demo-data"
KEY: Final = "demo-key"
SECRET: Final = "demo-secret"  # noqa: S105 - of the demo only
JOB_S: Final = 120
QUERIES: Final = {  # query -> (what it is, expected relation or error)
    "resaved.dxf": ("a drawing of the vault, saved again in another DXF version", "same"),
    "rotated.dxf": ("a drawing of the vault, turned", "same"),
    "revision.dxf": ("a drawing of the vault with a local change", "revision"),
    "mirrored.dxf": ("a part of the vault, mirrored", "variant"),
    "unrelated.dxf": ("a part that the vault does not have", "no match"),
    "broken.dxf": ("a truncated file", "TRUNCATED_DRAWING"),
}
console = Console(width=None if sys.stdout.isatty() else 118)


def main() -> int:
    """Run it; the exit status is 0 when everything was as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", choices=["local", "s3"], default="local")
    parser.add_argument("--keep", action="store_true", help="look around before it ends")
    arguments = parser.parse_args()
    store = arguments.store
    shutil.rmtree(DATA, ignore_errors=True)
    began = time.monotonic()
    with ExitStack() as stack:
        console.rule("1  drawings")
        generate(DATA / "samples")
        vault = sorted((DATA / "samples" / "vault").glob("*.dxf"))
        console.print(f"{len(vault)} drawings for the vault, {len(QUERIES)} to ask about")
        console.rule(f"2  stack ({store} store)")
        environ = demo_settings()
        if store == "s3":
            environ |= stack.enter_context(s3_server(DATA))
        with console.status("starting Redis, Prefect server, gateway and worker"):
            running = stack.enter_context(running_stack(DATA / "stack", environ))
        gateway = stack.enter_context(running.client(KEY))
        console.print(f"ready; Prefect UI at http://127.0.0.1:{running.prefect_port}")
        console.rule("3  vault")
        for path in track(vault, description="indexing", console=console):
            with path.open("rb") as file:
                gateway.post("/index/add", files={"file": (path.name, file)}).raise_for_status()
        console.rule("4  jobs")
        receiver = stack.enter_context(Receiver())
        jobs = {name: submit(gateway, name, receiver.url) for name in QUERIES}
        ended = {name: wait_for_end(gateway, job_id) for name, job_id in jobs.items()}
        faults = show(ended) + check_webhooks(receiver, ended) + check_nothing_left(environ)
        if arguments.keep:
            console.input(f"Look around at http://127.0.0.1:{running.prefect_port}; Enter ends it.")
    faults += check_no_process_left()
    for fault in faults:
        console.print(fault, style="red")
    console.print(f"{time.monotonic() - began:.0f} s")
    if faults:
        return 1
    console.print("OK: job completed + callback received + signature verified", style="bold green")
    return 0


def demo_settings() -> dict[str, str]:
    """What the demo's stack is told: a key, a webhook secret, a receiver on this machine."""
    return {
        "API_KEYS": KEY,
        "DEDUP2D_CALLBACK_HMAC_SECRET": SECRET,
        "DEDUP2D_CALLBACK_ALLOW_HTTP": "1",
        "DEDUP2D_CALLBACK_BLOCK_PRIVATE_NETWORKS": "0",
    }


def submit(gateway: httpx.Client, name: str, callback_url: str) -> str:
    """Submit one drawing asynchronously; gives the job id."""
    path = DATA / "samples" / "queries" / name
    params = {"async": "true", "callback_url": callback_url}
    with path.open("rb") as file:
        answer = gateway.post("/search", params=params, files={"file": (name, file)})
    answer.raise_for_status()
    job_id: str = answer.json()["job_id"]
    return job_id


def wait_for_end(gateway: httpx.Client, job_id: str) -> dict[str, Any]:
    """Poll the job to its end."""
    deadline = time.monotonic() + JOB_S
    while True:
        job: dict[str, Any] = gateway.get(f"/jobs/{job_id}").raise_for_status().json()
        if job["status"] in {"completed", "failed", "canceled"} or time.monotonic() > deadline:
            return job
        time.sleep(0.1)


def found_in(job: dict[str, Any]) -> tuple[str, str, str]:
    """Relation (or error code), match and what changed."""
    if job["status"] != "completed":
        return str(job["error"]).partition(":")[0], "", str(job["error"]).partition(": ")[2]
    matches = job["result"]["duplicates"] + job["result"]["similar"]
    if not matches:
        return "no match", "", ""
    best = matches[0]
    pose, changes = best["pose"], best["changes"]
    angle = f"{pose['rotation_deg']:.0f}"
    turned = f"turned {angle} deg" if angle not in {"0", "360"} else ""
    mirrored = "mirrored" if pose["mirrored"] else ""
    changed = f"+{changes['added']} -{changes['removed']}" if best["relation"] == "revision" else ""
    return best["relation"], best["file_name"], " ".join(filter(None, (turned, mirrored, changed)))


def show(ended: dict[str, dict[str, Any]]) -> list[str]:
    """Print the verdicts; gives what is wrong with them."""
    table = Table("drawing", "what it is", "status", "verdict", "match", "pose, changes")
    faults = []
    for name, (what, expected) in QUERIES.items():
        verdict, match, detail = found_in(ended[name])
        right = verdict == expected
        table.add_row(name, what, ended[name]["status"], verdict, match, detail)
        if not right:
            faults.append(f"{name}: expected {expected}, got {verdict}")
    console.print(table)
    return faults


def check_webhooks(receiver: Receiver, ended: dict[str, dict[str, Any]]) -> list[str]:
    """One signed webhook for each job."""
    wanted = {job["job_id"] for job in ended.values()}
    deadline = time.monotonic() + 30
    while {d.job_id for d in receiver.deliveries} < wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    faults = []
    for job_id in wanted:
        got = [d for d in receiver.deliveries if d.job_id == job_id]
        if len(got) != 1:
            faults.append(f"{len(got)} webhooks for job {job_id}")
        elif not verify(SECRET, got[0].signature, job_id, got[0].body):
            faults.append(f"the signature of job {job_id} is wrong")
    console.print(f"{len(receiver.deliveries)} webhooks received, signatures checked")
    return faults


def check_nothing_left(environ: dict[str, str]) -> list[str]:
    """No upload, no folder, no ticket."""
    uploads = DATA / "stack" / "uploads"
    left = [str(path.relative_to(uploads)) for path in uploads.rglob("*")]
    if "DEDUP2D_S3_BUCKET" in environ:
        listed = s3_client(environ).list_objects_v2(Bucket=BUCKET, Prefix="dedup2d/uploads")
        left += [item["Key"] for item in listed.get("Contents", [])]
    socket = next((DATA / "stack").rglob("*.sock"), None)
    tickets: list[Any] = []
    if socket is not None:
        tickets = list(redis.Redis(unix_socket_path=str(socket)).scan_iter("dedup2d:ticket:*"))
    console.print(f"left behind: {len(left)} uploads, {len(tickets)} tickets")
    return [f"left behind: {item}" for item in [*left, *tickets]]


def check_no_process_left() -> list[str]:
    """No process of ours, and none that works below our folder, outlives the stack."""
    deadline = time.monotonic() + 10
    while left := our_processes():
        if time.monotonic() > deadline:
            return [f"process left: {process}" for process in left]
        time.sleep(0.2)
    return []


def our_processes() -> list[str]:
    """Children of this process, and daemons that name our folder."""
    found = [str(child) for child in psutil.Process().children(recursive=True)]
    everywhere = psutil.process_iter(["cmdline"])
    return found + [str(p) for p in everywhere if str(DATA) in " ".join(p.info["cmdline"] or ())]


if __name__ == "__main__":
    sys.exit(main())
