"""Plots: lines where there are values, gaps where there are none, nothing from elsewhere."""

import re
from xml.etree import ElementTree

from vidstyle.jobs.measuring.evaluation import Series
from vidstyle.jobs.page.plots import Line, colour, dashes, plot

TIMES = (0.0, 0.1, 0.2, 0.3, 0.4)
WHOLE = Series(TIMES, (1.0, 2.0, 3.0, 2.0, 1.0))
GAP = Series(TIMES, (1.0, 2.0, None, 2.0, 1.0))


def drawn(*series: Series, cuts: tuple[float, ...] = (), name: str = "test") -> str:
    lines = [Line(number, one) for number, one in enumerate(series)]
    return plot(lines, name=name, label="a & <b>", span=(0, 0.4), cuts=cuts)


def paths(svg: str, number: int) -> list[str]:
    found = re.findall(rf'<path d="([^"]*)"[^>]*style="[^"]*var\(--clip-{number}\)', svg)
    return [path for path in found if "C" not in path]  # markers are round


def test_every_clip_has_a_line_in_its_colour() -> None:
    svg = drawn(WHOLE, WHOLE)
    assert paths(svg, 0)[0].count("M") == paths(svg, 1)[0].count("M") == 1


def test_a_missing_value_makes_a_gap() -> None:
    assert paths(drawn(WHOLE, GAP), 1)[0].count("M") == 2


def test_a_cut_is_marked() -> None:
    """By a word, and by a dotted line from top to bottom in the middle."""
    svg, uncut = drawn(WHOLE, cuts=(0.2,)), drawn(WHOLE)
    line = re.compile(r'd="M (\S+) \S+\s+L \1 \S+\s+"[^>]*stroke-dasharray[^>]*var\(--ink\)')
    assert (svg.count(">cut<"), len(line.findall(svg))) == (1, 1)
    assert (uncut.count(">cut<"), len(line.findall(uncut))) == (0, 0)


def test_the_plot_is_well_formed_and_holds_no_address() -> None:
    svg = drawn(WHOLE, GAP, cuts=(0.2,))
    ElementTree.fromstring(svg.replace("xlink:href", "href"))
    assert "://" not in svg
    assert "a &amp; &lt;b&gt;" in svg
    assert set(re.findall(r"font-family: ([^;\"]*)", svg)) <= {"inherit"}


def test_colours_are_the_pages_own() -> None:
    used = set(re.findall(r"#[0-9a-f]{6}\b", drawn(WHOLE, GAP, cuts=(0.2,))))
    assert used <= {"#000000"}  # of invisible things


def test_two_plots_share_no_name() -> None:
    one, two = (set(re.findall(r'id="([^"]*)"', drawn(WHOLE, name=name))) for name in ("a", "b"))
    assert one
    assert not one & two


def test_the_same_numbers_make_the_same_plot() -> None:
    assert drawn(WHOLE, GAP) == drawn(WHOLE, GAP)


def test_clips_differ_by_colour_or_dashes() -> None:
    looks = [(colour(number), dashes(number)) for number in range(1, 25)]
    assert len(set(looks)) == 24
    assert {colour(number) for number in range(30)} == set(range(9))
    assert [number for number in range(30) if colour(number) == 0] == [0]
