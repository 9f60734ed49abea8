"""Terms that the page uses, with links to what they mean: docs/judging.md is the one source."""

import re
from html import escape
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).parents[2] / "docs" / "judging.md"
ENTRY = re.compile(r"\((term-[\w-]+)\)=\n\*\*(.+?)\.\*\*\s+(.*?)\n\n", re.DOTALL)
TAG = re.compile(r"(<a\b.*?</a>|<[^>]*>)", re.DOTALL)
SIGNS = {r"\lVert": "‖", r"\rVert": "‖", r"\approx": "≈", r"\mu": "μ", r"\ast": "*", r"\top": "ᵀ"}


class Term(NamedTuple):
    """``id`` of its entry, its name, and what it means as HTML."""

    id: str
    name: str
    meaning: str


def terms() -> list[Term]:
    """All entries of the source, in their order."""
    text = SOURCE.read_text().partition("\n## Terms\n")[2] + "\n\n"
    return [Term(id_, name, marked(meaning)) for id_, name, meaning in ENTRY.findall(text)]


def marked(text: str) -> str:
    """Inline Markdown as HTML: code, emphasis, formulas of a few signs; links lose their targets.

    Examples
    --------
    >>> marked(r"The *norm* $\\lVert x_g \\rVert$ of `x`.")
    'The <i>norm</i> ‖x<sub>g</sub>‖ of <code>x</code>.'
    """
    text = escape(" ".join(text.split()), quote=False)
    text = re.sub(r"\$(.+?)\$", lambda found: formula(found[1]), text)
    text = re.sub(r"`(.+?)`", r"<code>\1</code>", text)
    text = re.sub(r"(?<![\w*])\*([^*]+)\*(?!\*)", r"<i>\1</i>", text)
    return re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", text)


def formula(tex: str) -> str:
    """TeX of a few signs as HTML."""
    for command, sign in SIGNS.items():
        tex = re.sub(re.escape(command) + r"(?![A-Za-z])", sign, tex)
    tex = re.sub(r"\\sqrt\{(.+?)\}", r"√(\1)", tex)
    tex = re.sub(r"\^(\w|\{.+?\})", lambda found: f"<sup>{found[1].strip('{}')}</sup>", tex)
    tex = re.sub(r"\^([*ᵀ])", r"\1", tex)
    tex = re.sub(r"_(\w|\{.+?\})", lambda found: f"<sub>{found[1].strip('{}')}</sub>", tex)
    return re.sub(r"(?<=‖)\s+|\s+(?=‖)", "", tex)


class Linker:
    """Links the first use of every term in what it is given, text after text."""

    def __init__(self, known: list[Term]) -> None:
        self.known = {}
        # Longest first: an active group is more than a group.
        for term in sorted(known, key=lambda term: -len(term.name)):
            # A name of capitals is one as it is; others begin a sentence or stand in one.
            first = term.name[0]
            names = term.name if term.name.isupper() else f"[{first}{first.lower()}]{term.name[1:]}"
            self.known[term.id] = re.compile(rf"(?<![\w-]){names}s?(?![\w-])")
        self.used: set[str] = set()

    def __call__(self, text: str) -> str:
        """HTML with links; tags and links that it has already stay as they are."""
        for id_, pattern in self.known.items():
            if id_ in self.used:
                continue
            parts = TAG.split(text)
            for place in range(0, len(parts), 2):
                link = rf'<a class="term" href="#{id_}">\g<0></a>'
                parts[place], found = pattern.subn(link, parts[place], count=1)
                if found:
                    self.used.add(id_)
                    break
            text = "".join(parts)
        return text


def link_terms(section: dict, known: list[Term]) -> tuple[dict, set[str]]:
    """A section whose texts, captions and claims link to terms, and the terms that it uses.

    Plain texts become HTML under a name of their own: ``caption_html``, ``conclusion_html``.
    """
    link = Linker(known)

    def block(one: dict) -> dict:
        if one["kind"] == "text":
            return one | {"html": link(one["html"])}
        plain = {key: one.get(key) or "" for key in ("conclusion", "caption")}
        return one | {f"{key}_html": link(escape(text)) for key, text in plain.items()}

    opening = [block(one) for one in section["opening"]]
    claims = [
        group | {"title_html": link(escape(group["title"])),
                 "statistic_html": link(escape(group["statistic"]))}
        for group in section["claims"]
    ]  # fmt: skip
    shown = [block(one) for one in section["shown"]]
    return section | {"opening": opening, "claims": claims, "shown": shown}, link.used
