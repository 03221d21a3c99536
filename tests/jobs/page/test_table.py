"""The table: honest marks, and cautions where steadiness is bought."""

from pathlib import Path

import pytest

from vidstyle.jobs.measuring.evaluation import (
    ClipReport,
    EvaluationReport,
    Method,
    Series,
    Steadiness,
)
from vidstyle.jobs.page.table import Cell, cautions, sections


def clip(name: str, flicker: float | None, detail: float = 100, frozen: float = 0) -> ClipReport:
    series = Series((0.0, 0.04), (flicker, flicker))
    steadiness = Steadiness(series, series, Series((0.0,), (0.5,)))
    measures = {
        "detail": Series((0.0,), (detail,)),
        "frozen": Series((0.0,), (frozen,)),
        "d_perceptual": Series((0.0,), (0.1,)),
    }
    return ClipReport(name, Path(name), True, (0.0, 0.04), steadiness, steadiness, measures)


def report(*outputs: ClipReport, unblended: ClipReport | None = None) -> EvaluationReport:
    method = Method(64, 96, 2, 1, perceptual="LPIPS")
    return EvaluationReport(clip("source", 0.001, 50), unblended, outputs, method)


def row(of: EvaluationReport, name: str) -> list[Cell]:
    rows = [row for section in sections(of) for row in section.rows]
    found, *_ = [row for row in rows if row.name == name]
    return list(found.cells)


def test_numbers_are_of_all_clips_in_order() -> None:
    found = report(clip("a", 0.002), clip("b", None), unblended=clip("u", 0.01))
    assert [cell.text for cell in row(found, "E_warp (Lai)")] == ["1", "10", "2", "–"]
    assert [cell.text for cell in row(found, "detail: Laplacian")] == ["1", "2", "2", "2"]
    assert [cell.text for cell in row(found, "pairs")] == ["2", "2", "2", "0"]


def test_the_best_of_the_candidates_is_marked_and_what_is_as_good() -> None:
    found = report(
        clip("a", 0.002), clip("b", 0.00204), clip("c", 0.004), unblended=clip("u", 0.0001)
    )
    assert [cell.best for cell in row(found, "E_warp (Lai)")] == [False, False, True, True, False]


def test_nothing_is_marked_without_a_contest() -> None:
    assert not any(cell.best for cell in row(report(clip("a", 0.002)), "E_warp (Lai)"))
    equal = report(clip("a", 0.002), clip("b", 0.002))
    assert not any(cell.best for cell in row(equal, "E_warp (Lai)"))
    alone = report(clip("a", 0.002), clip("b", None))
    assert not any(cell.best for cell in row(alone, "E_warp (Lai)"))


def test_detail_is_never_marked_more_of_it_may_be_noise() -> None:
    found = report(clip("a", 0.002, 100), clip("b", 0.004, 10))
    assert not any(cell.best for cell in row(found, "detail: Laplacian"))


def test_the_change_by_the_blend_is_told_of_a_single_painting_only() -> None:
    """Of several, the unblended painting belongs to one."""
    one, two = report(clip("a", 0.002)), report(clip("a", 0.002), clip("b", 0.004))
    assert row(one, "D_perceptual, LPIPS")
    with pytest.raises(ValueError, match="unpack"):
        row(two, "D_perceptual, LPIPS")


def test_measures_that_no_clip_has_are_left_out() -> None:
    names = {row.name for section in sections(report(clip("a", 0.1))) for row in section.rows}
    assert "SSIM" not in names
    assert "E_warp (Lai)" in names


def test_steadiness_that_may_be_blur_is_cautioned() -> None:
    soft = list(cautions(report(clip("a", 0.004, 100), clip("b", 0.002, 70)), ["Source", "A", "B"]))
    assert soft == [
        "B is steadiest, but has 0.70 of the fine detail of A: part of its steadiness may be blur "
        "or faint contrast. Look at the pictures."
    ]
    sharp = report(clip("a", 0.004, 100), clip("b", 0.002, 95))
    assert not list(cautions(sharp, ["Source", "A", "B"]))


def test_a_tie_and_a_frozen_picture_are_told() -> None:
    tie = report(clip("a", 0.004), clip("b", 0.0041))
    assert list(cautions(tie, ["Source", "A", "B"])) == [
        "A and B are equally steady, to within 5%."
    ]
    frozen = report(clip("a", 0.0, frozen=0.9), clip("b", 0.002))
    assert next(cautions(frozen, ["Source", "A", "B"])).startswith("A stands still")


def test_one_candidate_is_not_compared() -> None:
    assert not list(cautions(report(clip("a", 0.002, 1)), ["Source", "Unblended", "A"]))
