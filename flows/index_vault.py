"""index-vault: adds the drawings of a folder to a vault."""

from __future__ import annotations

from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from dedup2d.jobs.model import DEFAULT_TENANT
from tasks.index_files import find_drawings, index_files
from tasks.policy import CHUNK_SIZE
from tasks.progress import Progress


@flow(name="index-vault", persist_result=False)
async def index_vault(
    folder: str,
    tenant_id: str = DEFAULT_TENANT,
) -> State[None]:
    """Read each drawing below the folder and add it; what is in the vault already is kept.

    Args:
        folder: A folder that the worker can read
        tenant_id: Whose vault it is
    """
    paths = await find_drawings(Path(folder))
    progress = await Progress.begin("drawings indexed", total=len(paths))
    added = refused = 0
    for start in range(0, len(paths), CHUNK_SIZE):
        counts = await index_files(paths[start : start + CHUNK_SIZE], tenant_id)
        added, refused = added + counts.added, refused + counts.refused
        await progress.at(added + refused)
    return Completed(message=f"{added} in the vault, {refused} refused")
