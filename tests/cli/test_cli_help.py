"""Help teaches, and comes at once."""

from __future__ import annotations

import subprocess
import sys

import pytest
from cli_kit import Run

from dedup2d.cli.page import OPTIONS
from dedup2d.cli.root import CHAPTERS, load

COMMANDS = [name for commands in CHAPTERS.values() for name in commands]
HEAVY = ("prefect", "boto3", "fastapi", "ezdxf", "cv2")


def imported_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_the_first_page_names_every_command(dedup2d: Run) -> None:
    page = dedup2d("--help").stdout
    assert all(f"\n  {name} " in page for name in COMMANDS)


def test_every_option_of_the_first_page_is_one(dedup2d: Run) -> None:
    done = dedup2d("--show-completion", "bash")
    assert done.returncode == 0, done.stderr
    assert "_DEDUP2D_COMPLETE" in done.stdout
    for option in OPTIONS.keys() - {"--install-completion"}:
        assert "No such option" not in dedup2d(option, "--help").stderr


PARTS = [f"index {name}" for name in ("add", "remove", "list")]
PARTS += [f"tenants {name}" for name in ("add", "list", "rotate", "limit", "revoke")]


@pytest.mark.parametrize("command", [*COMMANDS, *PARTS])
def test_each_command_explains_itself_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    name, *rest = command.split()
    with pytest.raises(SystemExit) as ended:
        load(name).main([*rest, "--help"])
    assert ended.value.code == 0
    if command not in {"index", "tenants"}:
        assert f"dedup2d {command}" in capsys.readouterr().out.partition("Example")[2]


def test_only_the_terminal_breaks_a_paragraph(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    with pytest.raises(SystemExit):
        load("up").main(["--help"])
    paragraph = next(line for line in capsys.readouterr().out.splitlines() if "Everything" in line)
    assert paragraph.rstrip().endswith("Ctrl-C ends everything in order.")


def test_help_imports_nothing_that_takes_long() -> None:
    code = "import dedup2d.cli.root, dedup2d.cli.page"
    assert not imported_by(code) & {*HEAVY, "pydantic", "numpy", "httpx"}


def test_commands_that_need_no_server_do_not_import_one() -> None:
    code = "from dedup2d.cli import check, diff, index, submit, jobs, up"
    assert not imported_by(code) & set(HEAVY)


def test_without_a_command_the_page_is_shown_and_the_call_was_wrong(dedup2d: Run) -> None:
    done = dedup2d()
    assert done.returncode == 2
    assert "Examples" in done.stdout + done.stderr


def test_an_almost_right_command_is_suggested(dedup2d: Run) -> None:
    done = dedup2d("chek")
    assert done.returncode == 2
    assert "'check'" in done.stderr
