"""The page in a browser: every view draws, nothing is asked of other hosts, text stays text."""

import pytest

pytest.importorskip("starlette", reason="needs twotower[explore]")
from browsers import chromium
from explorer_runs import served
from twotower.explorer.explored import ExploredRun
from twotower.explorer.export import export
from twotower.report.passages import are_glued

VIEWS = ("words", "concordance", "text", "sentence", "training", "compare", "instruments")
DRAWN = {
    "words": "table.rows tbody tr:not(.spacer)", "concordance": ".kwic .line .key", "text": ".passage bdi",
    "sentence": ".predictions li", "training": "table.fit tbody tr", "compare": ".passage bdi", "instruments": "p",
}  # fmt: skip
INK = """canvas => { const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const seen = new Set();
  for (let i = 0; i < data.length; i += 4) seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
  return seen.size; }"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(finished):
    with served(finished, finished) as address:
        yield address


@pytest.fixture(scope="module")
def folder(finished, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported") / "page"
    export([ExploredRun(finished), ExploredRun(finished)], out, 10**6)
    return (out / "index.html").as_uri()


@pytest.fixture
def look(browser):
    """Opens an address; in the end no console error, and no request to another place, may have been."""
    complaints, pages = [], []

    def open_page(where: str, view: str, width: int = 1400, scheme: str = "light"):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(page)
        page.on("console", lambda said: complaints.append(said.text) if is_complaint(said) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        start = where.rsplit("/", 1)[0]
        page.on(
            "request", lambda one: None if one.url.startswith((start, "data:", "blob:")) else complaints.append(one.url)
        )
        page.goto(f"{where}#{view}")
        page.wait_for_selector("#view[data-shown]")
        return page

    yield open_page
    for page in pages:
        page.close()
    assert complaints == []


def is_complaint(said) -> bool:
    """Errors and warnings, but for the answer to a query that the server refuses, which browsers log."""
    return said.type in ("error", "warning") and "400 (Bad Request)" not in said.text


def turn_to(page, view: str) -> None:
    page.evaluate("document.getElementById('view').removeAttribute('data-shown')")
    page.evaluate("hash => { location.hash = hash; }", view)
    page.wait_for_selector("#view[data-shown]")


def until(page, condition: str) -> None:
    """Wait for a condition; the browser's own way of waiting needs the `eval` that the page's policy forbids."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never: {condition}")


def test_every_view_draws(look, address):
    page = look(address, "none", width=400, scheme="dark")
    for view in VIEWS:
        page.set_viewport_size({"width": 400, "height": 900})
        turn_to(page, view)
        page.wait_for_selector(f"#view {DRAWN[view]}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 400, view
        page.set_viewport_size({"width": 1400, "height": 900})
        page.wait_for_timeout(50)
        assert all(canvas.evaluate(INK) > 20 for canvas in page.query_selector_all("canvas")), view
        assert page.evaluate("document.documentElement.scrollWidth") <= 1400, view
        assert page.query_selector(".failure") is None, view


def test_every_view_draws_from_disk(look, folder):
    page = look(folder, "none")
    for view in (view for view in VIEWS if view != "sentence"):
        turn_to(page, view)
        page.wait_for_selector(f"#view {DRAWN[view]}")
        assert all(canvas.evaluate(INK) > 20 for canvas in page.query_selector_all("canvas")), view
        assert page.query_selector(".failure") is None, view
    assert page.query_selector("text=Your sentence") is None


def test_the_explorer_sets_spaces_as_the_report_does(look, folder):
    text = "the nations ' rights to two - thirds of 1 , 000 men in 1863 , 200 - - and people ' s ( 3 / 4 )"
    pieces = text.split()
    glued = look(folder, "none").evaluate("pieces => pieces.map((_, k) => explorer.isGlued(pieces, k))", pieces)
    assert glued == are_glued(pieces)


def test_the_folder_says_what_the_server_says(look, address, folder):
    pages = [look(address, "concordance"), look(folder, "concordance")]
    ask = "given => explorer.concordance({run: 0, query: given[0], case: given[1]})"
    for query, case in (("the", False), ("of the", False), ("st*", False), ("VERB", True), ("the NOUN", False),
                        ("*_ADJ *", False), ("[the]", True), ("[##s]", False), ("*-*", False), ("states,", False),
                        ("nosuchword", False)):  # fmt: skip
        served_, exported = (page.evaluate(ask, [query, case]) for page in pages)
        assert served_["total"] > 5 or query in ("states,", "nosuchword"), query
        for name in ("total", "tokens", "document", "position", "length", "tag", "before", "after"):
            assert served_.get(name) == exported.get(name), (query, name)
        for name in ("key", "left", "right"):
            of = [[found["word"][k] if k >= 0 else "" for k in found[name]] for found in (served_, exported)]
            assert of[0] == of[1], (query, name)
        for name, values in served_["measures"].items():  # hundredths on disk, and more for phrases
            assert exported["measures"][name] == pytest.approx(values, abs=0.05), (query, name)
    for page in pages:
        page.evaluate("explorer.filter = {since: '1900', in: '19'}")
    filtered = [page.evaluate(ask, ["the", False]) for page in pages]
    assert 0 < filtered[0]["total"] == filtered[1]["total"] < pages[0].evaluate("explorer.runs[0].heldout_tokens")
    assert filtered[0]["document"] == filtered[1]["document"]
    passages = [page.evaluate("explorer.passage({run: 0, document: 1, start: 7, length: 50})") for page in pages]
    assert all(passages[0][name] == passages[1][name] for name in ("piece", "upos", "start", "tokens"))


def test_lines_are_sorted_by_what_the_reader_asks_and_the_sort_key_is_coloured(look, address):
    page = look(address, "concordance?query=the&order=1L")
    keyed = page.eval_on_selector_all(".kwic .left .sort1", "all => all.map(one => one.textContent)")
    assert len(keyed) > 20 and keyed == sorted(keyed)
    lines = page.eval_on_selector_all(".kwic .left:has(.sort1)", "all => all.map(one => one.innerText.trim())")
    assert all(line.endswith(word) for line, word in zip(lines, keyed, strict=True)), "it is the word before the hit"
    page = look(address, "concordance?query=the&order=preference&down=1")
    values = page.eval_on_selector_all(
        ".kwic .line:not(.head) .number:not(.sets)", "all => all.map(one => one.innerText)"
    )
    numbers = [float(value.replace("−", "-")) for value in values]
    assert numbers == sorted(numbers, reverse=True)


def test_what_a_concordance_adds_up_to(look, address):
    page = look(address, "concordance?query=the")
    faults = page.evaluate("""async () => {
      const answer = await explorer.concordance({run: 0, query: "the"});
      const before = hit => answer.word[answer.left[hit * explorer.CONTEXT]] ?? null;
      const groups = explorer.groupHits(answer, "preference", before);
      const documents = await explorer.whole("documents", 0);
      return {answer, groups, near: explorer.collocates(answer, "preference", 1, 1),
              spread: explorer.dispersion(answer, documents.tokens, documents.name.map(() => true))}; }""")
    answer, groups = faults["answer"], {row["label"]: row for row in faults["groups"]}
    width = len(answer["left"]) // answer["total"]
    before = [answer["word"][k] if k >= 0 else None for k in answer["left"][::width]]
    of = [value for word, value in zip(before, answer["measures"]["preference"], strict=True) if word == "of"]
    assert groups["of"]["count"] == len(of) and groups["of"]["mean"] == pytest.approx(sum(of) / len(of))
    near = {row["word"]: row for row in faults["near"]}
    assert near["of"]["hits"] >= len(of) and max(row["dice"] for row in near.values()) <= 14
    assert 0 <= faults["spread"]["dp"] < 0.5 and faults["spread"]["documents"] == len(set(answer["document"]))
    for panel, shown in (("collocates", "tbody a"), ("sketch", "caption"), ("spread", "canvas")):
        turn_to(page, f"concordance?query=the&panel={panel}")
        page.wait_for_selector(f"#view {shown}")


def test_a_filter_stays_over_all_views(look, address):
    page = look(address, "concordance?query=the&since=1900")
    some = page.inner_text("#view .told[role=status]")
    for view in VIEWS:
        page.click(f"#tabs a[data-key={view}]")
        page.wait_for_selector(f"#view[data-shown={view}]")
        assert "since=1900" in page.evaluate("location.hash") and page.inner_text("#filtered"), view
    page.click("text=all documents")
    page.wait_for_selector("#view[data-shown]")
    page.click("#tabs a[data-key=concordance]")
    page.fill("input[name=query]", "the")
    page.click("text='show'")
    page.wait_for_selector(".kwic .key")
    assert page.inner_text("#view .told[role=status]") != some


def test_a_query_that_cannot_be_read_says_why_and_the_next_one_works(look, address, folder):
    for where, query in ((address, "%2F(a%2F"), (folder, "%2Fa%2F")):
        page = look(where, "none")
        page.evaluate("hash => { location.hash = hash; }", f"concordance?query={query}")
        page.wait_for_selector("#view .failure")
        page.evaluate("document.querySelector('input[name=query]').value = 'the'")
        page.click("text='show'")
        page.wait_for_selector(".kwic .key")
        assert page.query_selector(".failure") is None


def test_a_view_has_an_address_of_its_own(look, address):
    page = look(address, "words?kind=all")
    page.fill("input[name=search]", "nation")
    until(page, "location.hash.includes('search=nation')")
    page.wait_for_timeout(200)
    sentence = page.inner_text("#view .told")
    again = look(address, page.evaluate("location.hash.slice(1)"))
    assert again.input_value("input[name=search]") == "nation" and again.inner_text("#view .told") == sentence
    rows = again.eval_on_selector_all("tbody tr:not(.spacer) td:first-child", "cells => cells.map(c => c.textContent)")
    assert rows and all("nation" in row for row in rows)
    again.click("tbody a")
    again.wait_for_selector(".kwic .key")
    again.click(".kwic .key")
    again.wait_for_selector(".passage .current")
    assert "nation" in again.inner_text(".passage .current")


def test_tables_and_figures_can_be_saved(look, address):
    page = look(address, "words?least=1&kind=all&plot=towers")
    with page.expect_download() as saved:
        page.click("button:text-is('CSV')")
    lines = saved.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("type,word class,count,mean (nats)")
    shown = int(page.inner_text("#view .told").split(" of ")[0].replace(",", ""))
    assert len(lines) == shown + 1
    assert not [line for line in lines if line[0] in "=+-@"]
    with page.expect_download() as saved:
        page.click("button:text-is('SVG')")
    from xml.etree import ElementTree

    root = ElementTree.parse(saved.value.path()).getroot()
    assert root.tag.endswith("svg") and len(list(root.iter("{http://www.w3.org/2000/svg}circle"))) > 20


def test_a_formula_in_a_table_stays_text(look, address):
    page = look(address, "words")
    cells = page.evaluate(
        """explorer.csv(["a"], [["=1+1"], ["+x"], ["-x"], ["@x"], ["\\tx"], ["a,\\"b"], [-0.5], [null]])"""
    )
    assert cells.split("\r\n")[1:-1] == ["'=1+1", "'+x", "'-x", "'@x", "'\tx", '"a,""b"', "-0.5", ""]


def test_the_keyboard_is_enough(look, address):
    page = look(address, "text")
    page.focus(".passage")
    for key in ("ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    assert page.is_visible("#tip") and "nats" in page.inner_text("#tip")
    page.keyboard.press("Enter")
    page.wait_for_selector(".kwic .key")
    page.goto(f"{address}#words")
    page.wait_for_selector("canvas")
    page.focus("canvas")
    page.keyboard.press("+")
    until(page, "location.hash.includes('zoom=')")
    page.keyboard.press("0")
    until(page, "!location.hash.includes('zoom=')")


def test_the_words_view_opens_on_whole_words_that_every_set_of_readouts_agrees_on(look, address):
    page = look(address, "words")
    rows = page.evaluate("""async () => {
      const types = await explorer.types(0), shown = explorer.address().given;
      return {kind: shown.get("kind"), words: [...document.querySelectorAll("tbody tr:not(.spacer) td:first-child")]
        .map(cell => { const row = types.place.get(cell.textContent);
          return [types.piece[row], types.upos[row]]; })}; }""")
    assert rows["kind"] == "robust"
    assert all(not piece.startswith("##") and upos not in ("_", "NUM", "PUNCT") for piece, upos in rows["words"])
