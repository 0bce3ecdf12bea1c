"""Child processes of the stack: started, watched, started again, ended in order."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h: the kernel signals us when our parent dies
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
STEADY_S: Final = 60.0  # a process that lived that long starts again without a pause


@dataclass(slots=True)
class Service:
    """One process that is kept alive; its output goes to ``log``."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    log: Path
    stop_timeout_s: float = 40.0
    _process: subprocess.Popen[bytes] | None = None
    _started_at: float = 0.0
    _pause_s: float = field(default=FIRST_PAUSE_S)

    def start(self) -> None:
        """Start it, appending to its log."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own commands
                self.command,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is ours; we stop it in order
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - started before any thread is
            )
        self._started_at = time.monotonic()

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def keep_alive(self) -> str | None:
        """Start it again if it has died, at growing intervals; gives a sentence when it did."""
        process = self._process
        if process is None or process.poll() is None:
            return None
        lived_s = time.monotonic() - self._started_at
        if lived_s > STEADY_S:
            self._pause_s = FIRST_PAUSE_S
        elif lived_s < self._pause_s:
            return None
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        self.start()
        return f"{self.name} ended with status {process.returncode} and was started again"

    def stop(self) -> None:
        """SIGTERM, then after ``stop_timeout_s`` SIGKILL; returns when it is gone."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(self.stop_timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def last_lines(self, count: int = 15) -> str:
        """The end of its log, for an error message."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-count:])


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
