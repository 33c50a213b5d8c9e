"""The pages of real runs in headless Chromium: what a reader sees, by mouse, by keyboard, on paper."""

from dataclasses import replace
from pathlib import Path

import pytest

from browsers import chromium

pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python, which `make setup` installs")
WIDTHS = (400, 640, 900, 1600)
MEGABYTE = 2**20


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def pages(finished, family_runs, tmp_path_factory) -> dict[str, Path]:
    """A report, and the pages of its controls and of a study, of real small runs."""
    from twotower.comparison.compare import compare_runs
    from twotower.comparison.controls import compare
    from twotower.report import controls, study
    from twotower.results.results import results_in

    out = tmp_path_factory.mktemp("pages")
    other = family_runs("elmo")
    results = [results_in(run / "results.json", run) for run in (finished, other)]
    rows = compare(dict(zip(("run", "strangers"), results, strict=True)))
    (out / "controls.html").write_text(controls.render("sotu", rows), encoding="utf-8")
    runs = [("one", finished, "quickstart", False), ("two", finished, "quickstart", False),
            ("other", other, "quickstart", True)]  # fmt: skip
    found = replace(compare_runs(runs), links={name: "report.html" for name, *_ in runs})
    (out / "study.html").write_text(study.render("sotu", found), encoding="utf-8")
    return {"report": finished / "report.html", "controls": out / "controls.html", "study": out / "study.html"}


KINDS = ("report", "controls", "study")


class Opened:
    """A page, and what the browser said of it."""

    def __init__(self, browser, path: Path, width: int = 900, scheme: str = "light"):
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()


SHOWN = "const shown = selector => [...document.querySelectorAll(selector)].filter(one => one.getClientRects().length);"
OUTSIDE = """() => { SHOWN return shown('.plot svg').flatMap(svg => {
  const all = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(text => {
    const box = text.getBoundingClientRect();
    return box.left < all.left - 1 || box.right > all.right + 1 || box.top < all.top - 1 || box.bottom > all.bottom + 1;
  }).map(text => `${svg.parentElement.id}: ${text.textContent}`);
}); }""".replace("SHOWN", SHOWN)
DRAWN = """() => { SHOWN return shown('.plot').map(plot => {
  const drawn = shown(`#${plot.id} > svg`);
  return [plot.id, drawn.length, drawn[0]?.querySelectorAll('path, use, text').length, drawn[0]?.clientHeight];
}); }""".replace("SHOWN", SHOWN)


@pytest.mark.parametrize("kind", KINDS)
def test_it_opens_without_error_or_request_and_every_figure_is_drawn_at_every_width(browser, pages, kind):
    assert pages[kind].stat().st_size < 6 * MEGABYTE
    with Opened(browser, pages[kind]) as opened:
        for width in WIDTHS:
            opened.page.set_viewport_size({"width": width, "height": 900})
            assert opened.page.evaluate("document.documentElement.scrollWidth") <= width, width
            figures = opened.page.evaluate(DRAWN)
            assert figures and all(shown == 1 and marks > 0 and tall > 100 for _, shown, marks, tall in figures), (
                figures
            )
            assert opened.page.evaluate(OUTSIDE) == [], width
        assert opened.said == [] and opened.asked == [pages[kind].as_uri()]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, pages, kind, scheme):
    from axe_playwright_python.sync_playwright import Axe

    with Opened(browser, pages[kind], scheme=scheme) as opened:
        # axe needs what the page's policy forbids; a bypass would test another page, so the policy alone is taken off.
        source = pages[kind].read_text(encoding="utf-8")
        start = source.index('<meta http-equiv="Content-Security-Policy"')
        opened.page.set_content(source[:start] + source[source.index(">", start) + 1 :])
        response = Axe().run(opened.page).response
    assert any(rule["id"] == "color-contrast" for rule in response["passes"])
    serious = [violation for violation in response["violations"] if violation["impact"] in ("serious", "critical")]
    assert [(violation["id"], [node["html"][:200] for node in violation["nodes"][:3]]) for violation in serious] == []


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_dark_where_the_reader_wants_it_and_light_on_paper(browser, pages, kind):
    def lightness(page):
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(one) for one in color.strip("rgba()").split(",")[:3])

    with Opened(browser, pages[kind], scheme="dark") as opened:
        dark = opened.page.evaluate("getComputedStyle(document.querySelector('.plot text')).fill")
        assert lightness(opened.page) < 150
        opened.page.emulate_media(media="print", color_scheme="dark")
        assert lightness(opened.page) == 3 * 255
        assert opened.page.evaluate("getComputedStyle(document.querySelector('.plot text')).fill") != dark
        opened.page.set_viewport_size({"width": 700, "height": 1000})  # the width of A4 between its margins
        assert (
            opened.page.evaluate("document.documentElement.scrollWidth") <= 700 and opened.page.evaluate(OUTSIDE) == []
        )
        assert opened.page.pdf(format="A4").startswith(b"%PDF-")


@pytest.mark.parametrize("kind", KINDS)
def test_marks_say_what_they_are_by_mouse_and_by_keyboard_and_hide_no_other(browser, pages, kind):
    with Opened(browser, pages[kind]) as opened:
        page = opened.page
        told, figure = page.locator("#opening .readout"), page.locator("#opening .plot")
        assert not told.text_content() and page.locator("#tip").is_hidden()
        page.locator("#opening .plot svg.wide [data-tip]").nth(1).hover(force=True)
        assert told.text_content() and page.locator("#tip").is_hidden()
        page.keyboard.press("Escape")
        assert not told.text_content()
        figure.focus()
        page.keyboard.press("ArrowDown")
        first = page.locator("#opening svg.wide [data-tip]").first.get_attribute("data-tip")
        assert told.text_content() == first
        middle = """() => { const box = document.querySelector('.at').getBoundingClientRect();
                            return [box.left + box.width / 2 + scrollX, box.top + box.height / 2 + scrollY]; }"""
        moved = 0
        for key, axis, sign in (("ArrowUp", 1, -1), ("ArrowRight", 0, 1), ("ArrowDown", 1, 1), ("ArrowLeft", 0, -1)):
            before, said = page.evaluate(middle), told.text_content()
            page.keyboard.press(key)
            after = page.evaluate(middle)
            moved += before != after
            assert before == after or sign * (after[axis] - before[axis]) > 0, (key, said, told.text_content())
        assert moved


@pytest.mark.parametrize("kind", KINDS)
def test_a_term_opens_where_it_stands_and_its_list_leads_back_to_the_top(browser, pages, kind):
    with Opened(browser, pages[kind]) as opened:
        page, tip = opened.page, opened.page.locator("#tip")
        term = page.locator("a.term").first
        term.focus()
        place = page.evaluate("scrollY")
        page.keyboard.press("Enter")
        assert tip.is_visible() and tip.text_content() == term.get_attribute("data-tip")
        assert page.evaluate("[scrollY, location.hash]") == [place, ""]
        page.keyboard.press("Escape")
        assert tip.is_hidden()
        page.locator("#glossary a.up").click()
        page.wait_for_timeout(200)
        assert page.evaluate("scrollY") < 300


def test_contents_lead_to_every_part_and_passages_begin_with_a_word(browser, pages):
    with Opened(browser, pages["report"]) as opened:
        broken = opened.page.evaluate("""() => [...document.querySelectorAll('nav.contents a')]
            .filter(one => !document.querySelector(one.getAttribute('href'))).map(one => one.textContent)""")
        assert broken == [] and opened.page.locator("nav.contents a").count() > 6
        first = "all => all.map(one => one.querySelector('span').dataset.tip)"
        tips = opened.page.eval_on_selector_all(".passage", first)
        assert tips and not [tip for tip in tips if tip.startswith("##")]
        assert "– to –" not in opened.page.inner_text("main")


def test_the_table_of_pieces_can_be_searched_and_sorted_by_keyboard(browser, pages):
    with Opened(browser, pages["report"]) as opened:
        page = opened.page
        rows, head = page.locator("#types tbody tr"), page.locator("#types th").nth(2)
        assert rows.count() > 20
        head.locator("button").focus()
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == "descending"
        counts = [int(cell.replace(",", "")) for cell in page.locator("#types td:nth-child(3)").all_text_contents()]
        assert counts == sorted(counts, reverse=True)
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == "ascending"
        page.locator("#search").focus()
        wanted = next(name for name in page.locator("#types td:nth-child(2)").all_text_contents() if name.isalpha())
        page.keyboard.type(wanted)
        assert rows.count() > 0 and all(wanted in text for text in rows.all_text_contents())


def test_words_in_the_clouds_do_not_overlap_and_are_words(browser, pages):
    with Opened(browser, pages["report"]) as opened:
        boxes = opened.page.evaluate("""() => [...document.querySelectorAll('[id^=figure-cloud] svg.wide')].map(svg =>
            [...svg.querySelectorAll('text')].map(text => {
                const box = text.getBoundingClientRect();
                return [text.textContent, box.left, box.top, box.right, box.bottom];
            }))""")
    for cloud in boxes:
        words = [word for word, *_ in cloud if " " not in word]
        assert all(not any(character.isdigit() or character == "#" for character in word) for word in words)
        for number, (_, left, top, right, bottom) in enumerate(cloud):
            for _, *other in cloud[number + 1 :]:
                across = min(right, other[2]) - max(left, other[0])
                # Lines of text are taller than their letters: boxes may touch, letters not.
                up = min(bottom, other[3]) - max(top, other[1]) - 0.45 * min(bottom - top, other[3] - other[1])
                assert across <= 1 or up <= 1, cloud
