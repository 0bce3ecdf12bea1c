"""The sweep's decision: never the files of a live job, always those of a dead one."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dedup2d.jobs.model import JobStatus
from dedup2d.jobs.sweep import Decision, Place, decide, expired_results

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ages = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400))
retentions = st.one_of(st.none(), st.timedeltas(timedelta(seconds=1), timedelta(days=30)))
places = st.builds(
    Place,
    name=st.uuids().map(str),
    newest=ages.map(lambda age: NOW - age),
    has_ticket=st.booleans(),
    job=st.one_of(st.none(), st.sampled_from(JobStatus)),
)


@given(places, retentions, st.booleans())
def test_live_job_keeps_its_files(place: Place, retention: timedelta | None, cleanup: bool) -> None:
    decision = decide(place, now=NOW, retention=retention, cleanup=cleanup)
    if place.job is not None and not place.job.is_terminal:
        assert decision is Decision.KEEP


@given(places, retentions)
def test_ended_job_is_closed_at_once(place: Place, retention: timedelta | None) -> None:
    if place.job is not None and place.job.is_terminal:
        assert decide(place, now=NOW, retention=retention) is Decision.CLOSE


@given(places, retentions)
def test_unknown_files_go_only_after_their_retention(
    place: Place, retention: timedelta | None
) -> None:
    if place.job is None and decide(place, now=NOW, retention=retention) is Decision.DELETE:
        assert retention is not None
        assert NOW - place.newest > retention
        assert not place.has_ticket


@given(places)
def test_retention_of_none_deletes_nothing_unknown(place: Place) -> None:
    assert decide(place, now=NOW, retention=None) is not Decision.DELETE


@given(places, st.timedeltas(timedelta(seconds=1), timedelta(days=30)), st.booleans())
def test_dead_files_go_at_the_latest_after_their_retention(
    place: Place, retention: timedelta, cleanup: bool
) -> None:
    decision = decide(place, now=NOW, retention=retention, cleanup=cleanup)
    if place.job is None or place.job.is_terminal:
        if not place.has_ticket and NOW - place.newest > retention:
            assert decision is not Decision.KEEP
        if place.has_ticket and place.job is not None:
            assert decision is Decision.CLOSE, (
                "its ticket goes, and the next sweep sees to the files"
            )


@given(places, retentions)
def test_uploads_that_are_to_stay_stay_for_their_retention(
    place: Place, retention: timedelta | None
) -> None:
    decision = decide(place, now=NOW, retention=retention, cleanup=False)
    if decision is Decision.DELETE:
        assert retention is not None
        assert NOW - place.newest > retention


def test_results_expire_but_not_before_their_webhook_has_ended() -> None:
    hour = timedelta(hours=1)
    newest = {
        "old": NOW - 3 * hour,
        "young": NOW - hour,
        "told-late": NOW - 90 * hour,
        "undelivered-told-late": NOW - 80 * hour,
    }
    assert expired_results(newest, now=NOW, retention=2 * hour) == ["old"]
