"""What a container engine would read, held against the code that it is for."""

from __future__ import annotations

import fnmatch
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import AliasChoices

from dedup2d.cli.root import CHAPTERS
from dedup2d.settings import Settings, read_settings

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "deployments" / "docker"
CLUSTER = ROOT / "deployments" / "kubernetes" / "dedup2d.yaml"
EXAMPLE = ROOT / ".env.example"
OWN = re.compile(r"\b(?:DEDUP2D|DEDUPCAD)_[A-Z0-9_]+\b")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))


def env_file(path: Path) -> dict[str, str]:
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def setting_names() -> list[AliasChoices]:
    return [info.validation_alias for info in Settings.model_fields.values()]


def known_names() -> set[str]:
    return {str(name) for choices in setting_names() for name in choices.choices}


def instructions(word: str) -> list[str]:
    """Arguments of the Dockerfile's instructions of one kind, continued lines joined."""
    text = (DOCKER / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = (line.split(maxsplit=1) for line in text.splitlines())
    return [parts[1] for parts in lines if len(parts) == 2 and parts[0] == word]


def cluster_arguments() -> list[list[str]]:
    parts = yaml.safe_load_all(CLUSTER.read_text("utf-8"))
    templates = [part["spec"]["template"] for part in parts if "template" in part.get("spec", {})]
    return [pod["args"] for template in templates for pod in template["spec"]["containers"]]


@pytest.mark.parametrize(
    "path",
    [DOCKER / "compose.yaml", DOCKER / "Dockerfile", CLUSTER, EXAMPLE],
    ids=lambda path: path.name,
)
def test_every_variable_of_ours_is_known_to_the_settings(path):
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert set(OWN.findall("\n".join(lines))) <= known_names()


def test_every_setting_stands_in_the_example():
    assert {str(choices.choices[0]) for choices in setting_names()} <= set(env_file(EXAMPLE))


def test_the_example_changes_nothing():
    assert read_settings(env_file(EXAMPLE)) == read_settings({})


def test_the_containers_environment_can_be_read(compose):
    """With the example's values below it, as compose lays them."""
    wanted = re.compile(r"\$\{(\w+)(?::-([^}]*))?(?::\?[^}]*)?\}")
    raw = compose["services"]["worker"]["environment"]
    own = {name: wanted.sub(lambda m: m[2] or "given", value) for name, value in raw.items()}
    settings = read_settings(env_file(EXAMPLE) | own)
    assert settings.redis_url == "redis://redis:6379/0"
    assert (settings.s3_bucket, settings.s3_endpoint) == ("dedup2d", "http://minio:9000")


def test_no_secret_has_a_default(compose):
    text = (DOCKER / "compose.yaml").read_text("utf-8")
    for name in ("API_KEYS", "POSTGRES_PASSWORD", "DEDUP2D_S3_SECRET_KEY"):
        used = re.findall(rf"\$\{{{name}([^}}]*)\}}", text)
        assert used, name
        assert all(rest.startswith(":?") for rest in used), name


def test_every_command_is_one_of_the_program(compose):
    commands = {name for chapter in CHAPTERS.values() for name in chapter}
    for name in ("init", "gateway", "worker"):
        assert compose["services"][name]["command"][0] in commands
    assert json.loads(instructions("CMD")[-1])[0] in commands
    assert {args[0] for args in cluster_arguments()} == {"init", "gateway", "worker"} <= commands


def test_services_wait_for_services_that_exist(compose):
    for service in compose["services"].values():
        assert set(service.get("depends_on", {})) <= set(compose["services"])


def test_every_foreign_image_is_pinned_and_every_port_local(compose):
    for name, service in compose["services"].items():
        assert service["image"] == "dedup2d" or re.search(r":.*\d", service["image"]), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_the_worker_may_finish_its_jobs_before_it_is_killed(compose):
    grace_s = int(compose["services"]["worker"]["stop_grace_period"].removesuffix("s"))
    assert grace_s > read_settings({}).worker_grace_s + 10


def test_everything_that_is_copied_exists_and_reaches_the_builder():
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    let_in = [line[1:] for line in ignored if line.startswith("!")]
    copies = [line for line in instructions("COPY") if not line.startswith("--from")]
    assert copies
    for source in {source for line in copies for source in line.split()[:-1]}:
        assert (ROOT / source).exists(), source
        assert any(fnmatch.fnmatch(source, f"{name}*") for name in let_in), source


def test_what_the_code_looks_for_beside_itself_is_in_the_image():
    """prefect.yaml, the server's profile and the packages that flows are loaded from."""
    copied = {source for line in instructions("COPY") for source in line.split()[:-1]}
    assert {"prefect.yaml", "deployments/server", "flows", "tasks", "blocks", "dedup2d"} <= copied
