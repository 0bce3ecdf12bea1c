"""Lines that were plotted dash by dash are one stroke again."""

import numpy as np
import pytest
from test_reading_formats import pdf, read_as

from dedup2d.reading.pdf.dashes import joined_dashes


def row(lengths, gap, *, degrees=0.0, at=(20.0, 30.0), digits=2):
    """Dashes of these lengths, as (n, 4) segments written with some digits."""
    along = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    starts = np.cumsum([0, *(length + gap for length in lengths[:-1])])
    ends = starts + np.array(lengths)
    points = np.concatenate([starts[:, None] * along, ends[:, None] * along], axis=1)
    return (points + np.array([*at, *at])).round(digits)


@pytest.mark.parametrize("degrees", [0, 30, 90, 201])
@pytest.mark.parametrize("lengths", [[6] * 9 + [2], [18, 3, 18, 3, 18, 3, 11]])
def test_row_of_dashes_is_one_line(lengths, degrees):
    dashes = row(lengths, 3, degrees=degrees)
    joined, rows = joined_dashes(dashes)
    assert rows == 1
    np.testing.assert_allclose(joined, [[*dashes[0, :2], *dashes[-1, 2:]]])


@pytest.mark.parametrize(
    "segments",
    [
        row([6, 6, 6], 3),  # few
        row([6] * 9, 40),  # far apart
        row([2] * 9, 5),  # shorter than the gaps: a row of something
        np.concatenate([row([6, 6], 3), row([6, 6], 5, at=(60, 30)), row([6, 6], 4, at=(99, 30))]),
        row([6] * 9, 3)[::-1],  # not one after the other
        np.array([[k, 0, k, 9] for k in range(9)], float),  # parallel
        np.empty((0, 4)),
    ],
)
def test_other_segments_stay_as_they_are(segments):
    joined, rows = joined_dashes(segments)
    assert rows == 0
    np.testing.assert_array_equal(joined, segments)


def test_rows_among_other_lines_of_a_page(tmp_path):
    def drawn(segments):
        return b" ".join(b"%f %f m %f %f l S" % tuple(segment) for segment in segments.tolist())

    dashes = drawn(row([6] * 5, 3)) + b" " + drawn(row([6] * 5, 3, degrees=90, at=(300, 10)))
    drawing = read_as(tmp_path, "a.pdf", pdf(b"0 0 200 100 re S " + dashes + b" 5 5 m 50 5 l S"))
    assert len(drawing.segments) == 7
    assert [(f.code, f.count) for f in drawing.findings] == [("DASHES_JOINED", 2)]
