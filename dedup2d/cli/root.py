"""The root command: what it offers, its help page, and the edge where errors become words."""

from __future__ import annotations

import inspect
import logging
import signal
import sys
from importlib import import_module
from types import FrameType
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from dedup2d import __version__
from dedup2d.errors import Dedup2DError, ServiceError

FAULT_OF_THE_CALL: Final = 2
FAULT_OF_A_SERVICE: Final = 3
KILLED: Final = 128  # and the signal's number, as shells have it

# name: (module below dedup2d.cli, what it does in one line); by chapter, as the help shows it.
CHAPTERS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "Drawings, without any server": {
        "check": ("check", "Is this drawing in the vault already? And how does it differ?"),
        "diff": ("diff", "Compare two drawings and draw what changed."),
        "index": ("index", "Add, remove and list the drawings of a vault's index."),
        "samples": ("samples", "Generate a vault of realistic drawings to try things on."),
    },
    "Jobs, on a running stack": {
        "submit": ("submit", "Send drawings over HTTP; each becomes a job."),
        "status": ("jobs:status", "Show one job and its result."),
        "jobs": ("jobs:jobs", "List the latest jobs."),
        "cancel": ("jobs:cancel", "Cancel a job, waiting or running."),
    },
    "The stack": {
        "up": ("up", "Start the whole stack on this machine; Ctrl-C ends it."),
        "init": ("init", "Register blocks, work pool and deployments on a Prefect server."),
        "gateway": ("gateway", "Serve the HTTP interface."),
        "worker": ("worker", "Serve the work pool: run jobs."),
        "tenants": ("tenants", "Add, rotate and revoke the API keys of tenants."),
        "gc": ("gc", "Delete what ended or lost jobs left behind."),
        "doctor": ("doctor", "Check everything that dedup2d needs, and say what to do."),
    },
}
EXAMPLES: Final = (
    ("Generate drawings, index them, ask for one of them:", ""),
    ("", "dedup2d samples drawings"),
    ("", "dedup2d index add drawings/vault --index vault"),
    ("", "dedup2d check drawings/queries/*.dxf --index vault"),
    (
        "See what changed from one drawing to another:",
        "dedup2d diff old.dxf new.dxf -o changes.png",
    ),
    ("Ask for all drawings of a folder, for a script:", ""),
    ("", "dedup2d check incoming/* --index vault --json > answers.jsonl"),
    ("Start everything here, submit a drawing:", "dedup2d up --data ./data"),
    ("", "dedup2d submit part.dxf --wait"),
)
STATUSES: Final = (
    "Exit status: 0 it ran; 1 an answer you asked to be told by status (duplicate found, job "
    "failed, check failed); 2 the call was wrong; 3 a service did not answer."
)


# These run for long and log for themselves; what the others find wrong, they say once.
LOGGING: Final = frozenset({"up", "init", "gateway", "worker", "gc"})


class RootGroup(TyperGroup):
    """Knows its commands by name and line; imports one when it is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for commands in CHAPTERS.values():
            for name, (_module, line) in commands.items():
                self.commands[name] = TyperCommand(name, help=line)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that is really called, with its module imported."""
        name, _stub, rest = super().resolve_command(ctx, args)
        return name, None if name is None else load(name), rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; its errors become a sentence and an exit status."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException, BrokenPipeError):
            raise
        except Exception as error:
            # The edge of the process: people get a sentence, --debug gets the traceback.
            if ctx.params.get("debug"):
                raise
            _fail(error)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The page of the whole program, drawn here since typer's own takes longer to import."""
        del ctx, formatter
        # Only the help page draws, and nobody should wait for what does not.
        import_module("dedup2d.cli.page").show(CHAPTERS, EXAMPLES, STATUSES)


def load(name: str) -> Any:
    """Import the command ``name`` and give it as a command object with its line of help."""
    spec, line = next(commands[name] for commands in CHAPTERS.values() if name in commands)
    module, _, function = spec.partition(":")
    entry = getattr(import_module(f"dedup2d.cli.{module}"), function or module)
    if isinstance(entry, typer.Typer):
        entry.info.help = line
        for info in entry.registered_commands:
            info.help = help_of(info.callback)
        command: Any = get_command(entry)
    else:
        app = typer.Typer(rich_markup_mode="rich", add_completion=False)
        app.command(name, help=help_of(entry))(entry)
        command = get_command(app)
    command.name = name
    return command


def help_of(entry: Any) -> str:
    """The docstring with each paragraph on one line: where it breaks is the terminal's matter."""
    paragraphs = inspect.cleandoc(entry.__doc__).split("\n\n")
    return "\n\n".join(paragraph.replace("\n", " ") for paragraph in paragraphs)


def _fail(error: Exception) -> NoReturn:
    if isinstance(error, Dedup2DError):
        print(f"error: {error.code}: {error.message}", file=sys.stderr)
        status = FAULT_OF_A_SERVICE if isinstance(error, ServiceError) else FAULT_OF_THE_CALL
        raise typer.Exit(status) from error
    kind = type(error).__name__
    print(
        f"error: INTERNAL_ERROR: {kind}: {error}\n"
        "This should not happen; 'dedup2d --debug COMMAND ...' shows where it did.",
        file=sys.stderr,
    )
    raise typer.Exit(FAULT_OF_A_SERVICE) from error


def _version(wanted: bool) -> None:
    if wanted:
        print(f"dedup2d {__version__}")
        raise typer.Exit


def _root(
    ctx: typer.Context,
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Tell whether a 2D drawing already exists in a vault, and show why."""
    del version  # its callback has answered
    if ctx.invoked_subcommand in LOGGING:
        return
    signal.signal(signal.SIGTERM, _leave)
    if debug:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    else:
        logging.basicConfig(handlers=[logging.NullHandler()])


def _leave(number: int, _frame: FrameType | None) -> None:
    """End in order: child processes and scratch files go with us."""
    sys.exit(KILLED + number)


def run() -> None:
    """Run the program with the arguments of this process, and end it with a status."""
    app = typer.Typer(cls=RootGroup, no_args_is_help=True, rich_markup_mode="rich")
    app.callback()(_root)
    get_command(app).main(prog_name="dedup2d")
