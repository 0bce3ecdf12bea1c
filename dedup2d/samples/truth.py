"""What is true about a generated vault and its queries, as versioned JSON."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from dedup2d.report import Pose, Region, Relation, TextChange


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class QueryTruth(_Fact):
    """What a perfect matcher says about one query.

    ``relation`` is None where nothing in the vault has to do with the query. ``accepted`` are
    all relations that a sensible matcher may report for the best match. ``pose`` lays the query
    onto the vault's file; ``boxes`` are in the query's drawing units.
    """

    file: str
    done: str
    vault_file: str | None = None
    relation: Relation | None = None
    accepted: tuple[Relation, ...] = ()
    readable: bool = True
    pose: Pose = Pose()
    boxes: tuple[Region, ...] = ()
    texts: tuple[TextChange, ...] = ()


class Truth(_Fact):
    """The vault's files and the queries, in order; paths are relative to the folder."""

    version: int = 1
    seed: int
    vault: tuple[str, ...]
    queries: tuple[QueryTruth, ...]

    def of(self, file: str) -> QueryTruth:
        """The truth about one query by its path or its file name; KeyError if unknown."""
        for query in self.queries:
            if file in {query.file, query.file.rpartition("/")[2]}:
                return query
        raise KeyError(file)
