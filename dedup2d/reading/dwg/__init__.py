"""Reading DWG (R13 to R2018) through ezdwg, with a walker of our own over its entities."""

from __future__ import annotations

from pathlib import Path

import ezdwg

from dedup2d.drawing import Drawing
from dedup2d.errors import DrawingError
from dedup2d.reading.budget import Meter
from dedup2d.reading.dwg.database import DwgDatabase, open_database
from dedup2d.reading.dwg.layout import read_layout
from dedup2d.reading.sheets import side_by_side

# What ezdwg raises for files that are damaged or of a version that it does not know.
_PARSER_ERRORS = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    OSError,
    NotImplementedError,
)


def read(path: Path, meter: Meter) -> Drawing:
    """The drawing at ``path``. Raises DrawingError ``BROKEN_DRAWING``."""
    try:
        database = open_database(path, meter)
    except DrawingError:
        raise
    except _PARSER_ERRORS as error:
        raise DrawingError(
            "BROKEN_DRAWING", "The DWG is damaged or of a version that cannot be read."
        ) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # ezdwg's core gave up; no class to import
            raise
        raise DrawingError("BROKEN_DRAWING", "The DWG is damaged.") from error
    finally:
        ezdwg.clear_decode_caches()
    drawing = read_layout(database, meter, name="Model")
    if not drawing.primitive_count:
        drawing = _paper_space(database, meter) or drawing
    return drawing


def _paper_space(database: DwgDatabase, meter: Meter) -> Drawing | None:
    names = sorted(name for name in database.contents if name.startswith("*paper_space"))
    sheets = [read_layout(database, meter, name=name, block=name) for name in names]
    sheets = [sheet for sheet in sheets if sheet.primitive_count]
    return side_by_side(sheets) if sheets else None
