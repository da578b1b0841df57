"""HTML by construction: a tree whose texts and attributes are escaped when it is written, whatever they hold."""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from xml.etree import ElementTree

from data_prep.page.style import CSS

Node = ElementTree.Element
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Whatever slipped in, the page runs no script but its own and asks for nothing outside itself.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def element(tag: str, *children: "str | Node", **attributes: str) -> Node:
    """An element with `children` in order; `class_` is written as the attribute class."""
    node = Node(tag, {name.rstrip("_"): _clean(value) for name, value in attributes.items()})
    for child in children:
        if isinstance(child, Node):
            node.append(child)
        elif len(node):
            node[-1].tail = (node[-1].tail or "") + _clean(child)
        else:
            node.text = (node.text or "") + _clean(child)
    return node


def _clean(text: str) -> str:
    """`text` without control characters and broken surrogates, which no page can hold."""
    return _CONTROL.sub("\ufffd", text).encode("utf-8", "replace").decode()


def table(caption: str, heads: Sequence[str], lines: Iterable[Sequence[object]], texts: int = 1) -> Node:
    """A table of `lines` under `heads`; the first cell of a line heads it, those from the `texts`-th on are numbers."""
    sides = [{} if number < texts else {"class_": "number"} for number in range(len(heads))]
    head = element("tr", *(element("th", name, scope="col", **side) for name, side in zip(heads, sides, strict=True)))
    body = element("tbody", *(_line(line, texts) for line in lines))
    return element(
        "div",
        element("table", element("caption", caption), element("thead", head), body),
        class_="scroll",
        tabindex="0",
    )


def _line(line: Sequence[object], texts: int) -> Node:
    first, *others = line
    cells = [element("th", str(first), scope="row")]
    for number, value in enumerate(others, 1):
        cells.append(element("td", said(value), **({} if number < texts else {"class_": "number"})))
    return element("tr", *cells)


def said(value: object) -> str:
    """A cell as text: numbers with four figures, NaN as a dash."""
    if isinstance(value, float):
        if value != value:
            return "–"
        return f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def picture(source: str, alt: str, caption: str = "") -> Node:
    """A figure with the image `source` (a data URI), described by `alt` for those who do not see it."""
    words = [element("figcaption", caption)] if caption else []
    return element("figure", element("img", src=source, alt=alt), *words)


def section(title: str, *children: "str | Node") -> Node:
    """A part of the page under a heading of the second order."""
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return element("section", element("h2", title), *children, id=name)


def document(title: str, parts: Sequence[Node], style: str = "", script: str = "") -> str:
    """The whole page as text, with a link that skips to its content.

    `style` is added to the common one. `script`, our own and constant, is the only one that the page allows, by its
    hash. Neither is escaped.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", **{"http-equiv": "Content-Security-Policy", "content": _policy(script)}),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", CSS + style),
    )
    skip = element("a", "Skip to the content", href="#content", class_="skip")
    body = element("body", skip, element("main", element("h1", title), *parts, id="content"))
    if script:
        body.append(element("script", script))
    root = element("html", head, body, lang="en")
    return "<!doctype html>\n" + ElementTree.tostring(root, encoding="unicode", method="html") + "\n"


def _policy(script: str) -> str:
    if not script:
        return _POLICY
    return f"{_POLICY}; script-src 'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
