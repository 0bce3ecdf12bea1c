"""What holds for every flow and deployment, checked on the objects and files themselves."""

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest
import yaml

from dedup2d.options import SearchOptions
from dedup2d.worker.engine import load_flow
from flows.dedup_job import dedup_job
from tasks.cleanup import cleanup
from tasks.dedup import dedup
from tasks.enqueue_ref import enqueue_ref
from tasks.load import load
from tasks.notify import notify
from tasks.policy import is_service_fault
from tasks.store_file import store_file

ROOT = Path(__file__).parents[2]
SIX = [store_file, enqueue_ref, load, dedup, notify, cleanup]
DEPLOYMENTS = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]


def test_six_tasks_have_the_six_names() -> None:
    names = [task.name for task in SIX]
    assert names == ["store-file", "enqueue-ref", "load", "dedup", "notify", "cleanup"]


@pytest.mark.parametrize("task", SIX, ids=lambda t: t.name)
def test_tasks_are_async_retried_on_service_faults_and_keep_no_result(task: Any) -> None:
    assert inspect.iscoroutinefunction(task.fn)
    assert task.retries == len(task.retry_delay_seconds)
    assert sum(task.retry_delay_seconds) > 100 or task is cleanup, "a minute's outage is waited for"
    assert task.retry_condition_fn is is_service_fault
    assert task.retry_jitter_factor
    assert task.persist_result is False


def test_every_end_of_a_job_has_its_hook() -> None:
    assert dedup_job.on_failure_hooks
    assert dedup_job.on_crashed_hooks
    assert dedup_job.on_cancellation_hooks


@pytest.mark.parametrize("entry", DEPLOYMENTS, ids=lambda e: e["name"])
def test_deployments_load_and_describe_every_parameter(entry: dict[str, Any]) -> None:
    flow = load_flow(entry["entrypoint"])
    assert entry["description"]
    for name, parameter in flow.parameters.properties.items():
        assert parameter.get("description"), f"{entry['name']}: {name}"
    assert set(entry.get("parameters", {})) <= set(flow.parameters.properties)


@pytest.mark.parametrize("name", SearchOptions.model_fields)
def test_every_search_option_explains_itself_in_the_form(name: str) -> None:
    assert SearchOptions.model_fields[name].description


@pytest.mark.parametrize("path", sorted((ROOT / "flows").glob("*.py")), ids=lambda p: p.name)
def test_flows_read_as_the_algorithm(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 40, f"{node.name}: {lines} lines"
