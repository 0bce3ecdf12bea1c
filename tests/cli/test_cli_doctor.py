"""The doctor says what is wrong and what to do."""

from __future__ import annotations

from pathlib import Path

from cli_kit import Run, json_lines

from dedup2d.cli.checks.finding import Level, run_check
from dedup2d.cli.checks.machine import disk, number_of, packages
from dedup2d.cli.checks.services import access, callback
from dedup2d.settings import Settings, read_settings


def test_without_services_it_names_each_that_fails(dedup2d: Run, tmp_path: Path) -> None:
    done = dedup2d(
        "doctor",
        "--data",
        tmp_path,
        "--json",
        DEDUP2D_REDIS_URL="redis://127.0.0.1:9",
        PREFECT_API_URL="http://127.0.0.1:9/api",
        DEDUP2D_FILE_STORAGE="s3",
        DEDUP2D_S3_BUCKET="none",
        DEDUP2D_S3_ENDPOINT="http://127.0.0.1:9",
        DEDUP2D_S3_ACCESS_KEY="a",
        DEDUP2D_S3_SECRET_KEY="b",
    )
    found = json_lines(done.stdout)
    failing = {line["check"] for line in found if line["level"] == "FAIL"}
    assert done.returncode == 1
    assert failing == {"redis", "prefect", "store uploads", "store results", "access"}
    assert all(line["advice"] for line in found if line["level"] != "OK")


async def test_a_check_that_breaks_is_a_finding() -> None:
    def breaks(_: Settings) -> list[object]:
        raise OSError("no such luck")

    (found,) = await run_check("x", breaks, read_settings({}))  # type: ignore[arg-type]
    assert (found.level, found.said) == (Level.FAIL, "OSError: no such luck")


def test_installed_packages_fit(tmp_path: Path) -> None:
    assert next(iter(packages(read_settings({})))).level is Level.OK


def test_a_data_folder_that_is_not_there_yet_is_measured_where_it_will_be(tmp_path: Path) -> None:
    settings = read_settings({}, data_dir=tmp_path / "a" / "b")
    assert any(str(tmp_path) in found.said for found in disk(settings))


def test_risky_settings_are_warned_of() -> None:
    risky = read_settings(
        {
            "DEDUP2D_CALLBACK_ALLOW_HTTP": "1",
            "DEDUP2D_CALLBACK_BLOCK_PRIVATE_NETWORKS": "0",
            "API_KEYS": "short",
        }
    )
    assert [found.level for found in callback(risky)] == [Level.WARN] * 3
    assert [found.level for found in access(risky)] == [Level.WARN]


def test_sound_settings_are_not() -> None:
    sound = read_settings({"DEDUP2D_CALLBACK_HMAC_SECRET": "s" * 32, "API_KEYS": "k" * 32})
    assert [found.level for found in (*callback(sound), *access(sound))] == [Level.OK] * 2


def test_versions_are_compared_as_numbers() -> None:
    assert number_of("7.10.2-rc1")[:3] > number_of("7.9")
