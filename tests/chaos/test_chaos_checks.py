"""The harness would see each violation if there were one."""

import pytest
from chaos_kit.checks import Told, violations_of
from chaos_kit.jobs import Job, Seen
from chaos_kit.kills import Kill

NAMES = {"WorkerLost": "SCHEDULED"}


def states(*names: str):
    return [
        {
            "type": NAMES.get(name, name.upper()),
            "name": name,
            "at": float(at),
            "message": "Claimed by warm-host-7",
        }
        for at, name in enumerate(names)
    ]


def job(*statuses: str, kind: str = "good", error: str = "") -> Job:
    seen = [Seen(float(at), s, s == "completed", error) for at, s in enumerate(statuses)]
    return Job(kind, "job", 0.0, seen)


GOOD = ("Scheduled", "Pending", "Running", "Completed")
TOLD = Told("job", "id", "completed")
KILLED = Kill("worker", 7, 3.5)
AGAIN = (*GOOD[:3], "Running", "WorkerLost", *GOOD[1:])


@pytest.mark.parametrize(
    ("seen", "history", "told", "kills", "broken"),
    [
        (job("pending", "in_progress", "completed"), GOOD, [TOLD, TOLD], [], set()),
        (job("pending", "completed"), AGAIN, [TOLD], [KILLED], set()),
        (
            job("pending"),
            GOOD[:3],
            [],
            [],
            {"one terminal state", "one delivery per end", "the right end"},
        ),
        (job("completed"), (*GOOD, "Running", "Completed"), [TOLD], [], {"one terminal state"}),
        (job("in_progress", "pending", "completed"), GOOD, [TOLD], [], {"status never backwards"}),
        (job("failed", "completed"), GOOD, [TOLD], [], {"status never backwards"}),
        (job("lost", "completed"), GOOD, [TOLD], [], {"status never backwards"}),
        (job("completed"), GOOD, [], [], {"one delivery per end"}),
        (
            job("completed"),
            GOOD,
            [TOLD, Told("job", "x", "completed")],
            [],
            {"one delivery per end"},
        ),
        (job("completed"), GOOD, [Told("job", "id", "failed")], [], {"one delivery per end"}),
        (job("pending", "completed"), AGAIN, [TOLD], [], {"one run at a time"}),
        (job("completed", kind="broken"), GOOD, [TOLD], [], {"the right end"}),
    ],
)
def test_each_invariant_that_is_broken_is_named(seen, history, told, kills, broken) -> None:
    found = {v.invariant for v in violations_of(seen, states(*history), told, kills)}
    assert found - {"status is the state"} == broken - {"status is the state"}


def test_completed_without_a_result_is_a_violation() -> None:
    bare = Job("good", "job", 0.0, [Seen(0.0, "completed", False, "")])
    found = [v.invariant for v in violations_of(bare, states(*GOOD), [TOLD], [])]
    assert found == ["completed with a result"]
