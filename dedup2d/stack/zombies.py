"""The automation that marks a run as crashed when its heartbeats stop.

Prefect sends the heartbeats, but a self-hosted server acts on their absence only by an
automation of its owner's (Prefect docs, "Detect zombie flows"). The sweep then ends the job.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from prefect.automations import AutomationCore, ChangeFlowRunState, EventTrigger, Posture
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import StateType

NAME: Final = "dedup2d: end runs whose worker is gone"
SILENCE: Final = timedelta(minutes=10)  # warm workers find each other's lost runs in seconds


async def ensure_zombie_automation(client: PrefectClient) -> None:
    """Create the automation, unless the server has it."""
    if await client.read_automations_by_name(NAME):
        return
    await client.create_automation(
        AutomationCore(
            name=NAME,
            description="A flow run without heartbeats for ten minutes is marked as crashed.",
            trigger=EventTrigger(
                after={"prefect.flow-run.heartbeat"},
                expect={
                    "prefect.flow-run.heartbeat",
                    "prefect.flow-run.Completed",
                    "prefect.flow-run.Failed",
                    "prefect.flow-run.Cancelled",
                    "prefect.flow-run.Crashed",
                    "prefect.flow-run.TimedOut",
                },
                match={"prefect.resource.id": "prefect.flow-run.*"},
                for_each={"prefect.resource.id"},
                posture=Posture.Proactive,
                threshold=1,
                within=SILENCE,
            ),
            actions=[
                ChangeFlowRunState(
                    state=StateType.CRASHED, message="WORKER_LOST: the run's heartbeats stopped."
                )
            ],
        )
    )
