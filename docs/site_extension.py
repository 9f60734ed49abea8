"""What the site adds to Sphinx: a directive for public names, and the form of our docstrings."""

import inspect
import re
from itertools import pairwise
from pathlib import Path
from pydoc import locate

from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.ext import autosummary
from sphinx.util.docutils import SphinxDirective

FIELDS = ("Parameters", "Attributes", "Returns", "Raises")
ITEM = re.compile(r"(\w+(?:, \w+)*) : (.+)")
# Methods from here on are documented elsewhere.
FOREIGN = "Module, ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator"
FOREIGN += ", _SetOutputMixin, _MetadataRequester, Exception, tuple"

ALIASES = {
    r"TypeAliasForwardRef\('(\w+)'\)": r"\1",
    r"Callable\[\[Tensor, float \| Tensor, int\], Tensor\]": "Prox",
    r"_Buffer \| .*complex \| bytes \| str\]": "ArrayLike",
}
# The first sentence of a docstring does not end here.
autosummary.WELL_KNOWN_ABBREVIATIONS += ("eq.", "eqs.", "Sec.", "Prop.")


class Api(SphinxDirective):
    """A table of the names of ``groupsparse`` in the body, then an entry for each."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        names = [f"groupsparse.{name}" for name in self.content if name]
        lines = [".. autosummary::", "   :nosignatures:", "", *(f"   ~{name}" for name in names)]
        for name in names:
            if inspect.isclass(locate(name)):
                lines += ["", f".. autoclass:: {name}", "   :members:"]
                lines += [f"   :inherited-members: {FOREIGN}"]
            else:
                lines += ["", f".. autofunction:: {name}"]
        return self.parse_text_to_nodes("\n".join(["```{eval-rst}", *lines, "```"]))


def formatted(lines: list[str]) -> list[str]:
    """A docstring as reStructuredText: each section a field, its ``name : text`` a definition.

    Napoleon takes the text after the colon for a type, and a sentence under Raises for a name.
    """
    out, section = [], ""
    for line, following in pairwise([*lines, ""]):
        if following and set(following) == {"-"}:
            section = line
            out += [f":{line}:" if line in FIELDS else f".. rubric:: {line}"]
        elif section and line and set(line) == {"-"}:
            out += [""] if section not in FIELDS else []
        elif section == "References":
            out += [re.sub(r"^(?=[A-Z]\.)", r"\\", line)]  # an initial numbers no list
        elif section not in FIELDS:
            out += [line]
        elif item := ITEM.fullmatch(line):
            names = ", ".join(f"**{name}**" for name in item[1].split(", "))
            out += [f"   {names}", f"       {item[2]}"]
        elif section in ("Parameters", "Attributes") and line and not line.startswith(" "):
            out += ["", line]  # a remark ends the list
            section = ""
        else:
            out += [f"   {line}"]
    return out


def format_docstring(app: Sphinx, what, name, obj, options, lines: list[str]) -> None:
    lines[:] = formatted(lines)


def format_signature(app: Sphinx, what, name, obj, options, signature, returned) -> tuple:
    """Aliases by their names, as in the source."""
    texts = [signature, returned]
    for index, text in enumerate(texts):
        for pattern, alias in ALIASES.items():
            text = text and re.sub(pattern, alias, text)
        texts[index] = text
    return tuple(texts)


def skip(app: Sphinx, what, name: str, obj, skipped: bool, options) -> bool | None:
    """Leave out what Python and scikit-learn add to a class."""
    alias = (inspect.getdoc(obj) or "").startswith("Alias for field number")
    return True if alias or re.fullmatch(r"set_(output|\w+_request)", name) else None


def resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.Node):
    """A public name may be written with the module in which it is."""
    target = node.get("reftarget", "")
    short = re.sub(r"^(?:groupsparse\.)?(?:[a-z_]+\.)?(?=\w+(?:\.\w+)?$)", "groupsparse.", target)
    if node.get("refdomain") != "py" or short == target:
        return None
    domain, page = env.domains.python_domain, node.get("refdoc")
    return domain.resolve_xref(env, page, app.builder, node["reftype"], short, node, text)


def unlink_folders(app: Sphinx, document: nodes.document) -> None:
    """A folder of the repository has no page: keep the words of a link to it."""
    here = Path(app.env.doc2path(app.env.docname)).parent
    for node in list(document.findall(pending_xref)):
        if node["reftype"] == "myst" and (here / node["reftarget"]).is_dir():
            node.replace_self(node.children)


def lead_to_start(app: Sphinx, error: Exception | None) -> None:
    """An index.html at the top, where a reader looks for it."""
    start = f"{app.config.root_doc}.html"
    page = (
        f'<!doctype html><title>Start</title><meta http-equiv="refresh" content="0; url={start}">'
    )
    (Path(app.outdir) / "index.html").write_text(page)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("api", Api)
    app.add_lexer("mermaid", TextLexer)
    app.connect("autodoc-process-docstring", format_docstring)
    app.connect("autodoc-process-signature", format_signature)
    app.connect("autodoc-skip-member", skip)
    app.connect("doctree-read", unlink_folders)
    app.connect("missing-reference", resolve)
    app.connect("build-finished", lead_to_start)
    return {"parallel_read_safe": True}
