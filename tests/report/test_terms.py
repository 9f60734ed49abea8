"""Terms of the page: explained once, from the documentation, and linked where they are used."""

import re

import pytest

from report.terms import Linker, Term, link_terms, marked, terms

KNOWN = [
    Term("term-group", "Group", ""),
    Term("term-acc", "ACC", ""),
    Term("term-x", "Hit rate", ""),
]


def test_every_entry_of_the_documentation_is_read_and_none_has_raw_markup_left():
    found = terms()
    assert len(found) > 25
    assert len({term.id for term in found}) == len(found)
    for term in found:
        assert re.fullmatch(r"term-[a-z-]+", term.id)
        assert not re.search(r"[$\\`]|\*\*|\]\(", term.meaning), term
        assert term.meaning.endswith("."), term


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (r"$\lVert A - A^\ast \rVert_F^2$", "‖A - A*‖<sub>F</sub><sup>2</sup>"),
        (r"$\sqrt{1 - c^2}$ of `a_b`", "√(1 - c<sup>2</sup>) of <code>a_b</code>"),
        ("*codes+* are 1 < 2", "<i>codes+</i> are 1 &lt; 2"),
        ("See [metrics](mathematics.md#m).", "See metrics."),
    ],
)
def test_inline_markup_becomes_html(text, html):
    assert marked(text) == html


def test_the_first_use_of_a_term_is_linked_and_no_tag_is_touched():
    link = Linker(KNOWN)
    text = link('<a href="#ACC">ACC of groups</a> Groups, group norms and ACC; hit rates; subgroup')
    assert text == (
        '<a href="#ACC">ACC of groups</a> <a class="term" href="#term-group">Groups</a>, group '
        'norms and <a class="term" href="#term-acc">ACC</a>; <a class="term" href="#term-x">hit '
        "rates</a>; subgroup"
    )
    assert link("ACC") == "ACC", "once in a section"
    assert Linker(KNOWN)("acc, regroup, group-sparse, ACCs") == (
        'acc, regroup, group-sparse, <a class="term" href="#term-acc">ACCs</a>'
    )


def test_the_longest_term_is_meant():
    link = Linker([*KNOWN, Term("term-active-group", "Active group", "")])
    assert (
        link("an active group") == 'an <a class="term" href="#term-active-group">active group</a>'
    )


def test_what_is_plain_text_stays_so():
    section = {
        "opening": [{"kind": "text", "html": "<b>ACC</b>"}],
        "claims": [{"title": "a < b", "statistic": "hit rate"}],
        "shown": [{"kind": "figure", "caption": "x <script> & groups", "conclusion": ""}],
    }
    found, used = link_terms(section, KNOWN)
    assert found["opening"][0]["html"] == '<b><a class="term" href="#term-acc">ACC</a></b>'
    assert found["claims"][0]["title_html"] == "a &lt; b"
    assert found["shown"][0]["caption_html"].startswith("x &lt;script&gt; &amp; <a")
    assert found["shown"][0]["caption"] == "x <script> & groups"
    assert used == {"term-group", "term-acc", "term-x"}
