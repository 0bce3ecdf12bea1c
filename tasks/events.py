"""Prefect events of a job, so that Prefect automations can react."""

from __future__ import annotations

from collections.abc import Sequence

from prefect.events import emit_event

from dedup2d.jobs.model import Outcome
from dedup2d.report import Report

JOB_FINISHED = "dedup2d.job.finished"
MATCH_FOUND = "dedup2d.match.found"


def emit(outcome: Outcome, reports: Sequence[Report]) -> None:
    """``dedup2d.job.finished`` for each job, ``dedup2d.match.found`` for each drawing with matches.

    Events are told in the background; a server that does not listen costs nothing.
    """
    resource = {
        "prefect.resource.id": f"dedup2d.job.{outcome.job_id}",
        "prefect.resource.name": f"dedup job {outcome.job_id}",
        "dedup2d.tenant": outcome.tenant_id,
        "dedup2d.status": outcome.status.value,
    }
    emit_event(
        event=JOB_FINISHED,
        resource=resource,
        payload={
            "status": outcome.status.value,
            "error": str(outcome.error) if outcome.error else None,
            "drawings": len(reports),
            "duplicates": sum(len(report.duplicates) for report in reports),
            "similar": sum(len(report.similar) for report in reports),
        },
    )
    for report in reports:
        if report.matches and report.query is not None:
            best = report.matches[0]
            emit_event(
                event=MATCH_FOUND,
                resource=resource | {"dedup2d.relation": best.relation.value},
                payload={
                    "query": report.query.file_name,
                    "match": best.file_name,
                    "drawing_id": best.drawing_id,
                    "relation": best.relation.value,
                    "similarity": best.similarity,
                },
            )
