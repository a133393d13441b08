"""What is left of anybody's HTML: the allow-list."""

from typing import Any

import nh3

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
LINK_REL = "nofollow ugc noopener"


def names(words: str) -> set[str]:
    return set(words.split())


MATHML = names(
    "math mrow mi mo mn ms mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover "
    "mmultiscripts mprescripts none mtable mtr mtd mstyle mpadded mphantom menclose mfenced"
)
ELEMENTS = names(
    "p br hr h3 h4 h5 h6 ul ol li dl dt dd blockquote pre code kbd samp var em strong b i u s strike del ins mark "
    "sub sup small abbr q cite a img table caption thead tbody tfoot tr th td details summary"
)
ATTRIBUTES: dict[str, set[str]] = {
    "*": set(),  # else nh3 lets `title` and `lang` pass on every element
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
MATH_ATTRIBUTES: dict[str, set[str]] = {
    "math": {"display", "alttext"},
    "mo": {"stretchy", "fence", "form", "lspace", "rspace", "minsize", "maxsize", "movablelimits", "largeop"},
    "mi": {"mathvariant"},
    "mn": {"mathvariant"},
    "mtext": {"mathvariant"},
    "mspace": {"width", "linebreak"},
    "mfrac": {"linethickness"},
    "mstyle": {"displaystyle", "scriptlevel"},
    "mtable": {"columnalign", "rowspacing", "columnspacing", "columnlines", "displaystyle"},
    "mtd": {"columnalign"},
    "menclose": {"notation"},
    "mover": {"accent"},
    "munder": {"accentunder"},
    "mpadded": {"width", "height", "depth", "lspace"},
}
# Their content is not text for readers.
SWALLOWED = {"script", "style", "title", "noscript", "iframe", "template", "textarea", "object", "svg"}
CLASSES = {"a": {"mention"}, "td": {"center", "right"}, "th": {"center", "right"}}
_COMMON: dict[str, Any] = {
    "clean_content_tags": SWALLOWED,
    "url_schemes": {"http", "https", "mailto"},
    "allowed_classes": CLASSES,
    "link_rel": LINK_REL,
}
# Imported HTML passes the first: no formula of a stranger, and headings still under their own names.
FIRST = nh3.Cleaner(
    tags=ELEMENTS | {"h1", "h2"}, attributes=ATTRIBUTES, **{**_COMMON, "clean_content_tags": SWALLOWED | {"math"}}
)
# Everything leaves through the last. Formulas in it are of our own making.
LAST = nh3.Cleaner(
    tags=ELEMENTS | MATHML,
    attributes=ATTRIBUTES | MATH_ATTRIBUTES,
    set_tag_attribute_values={"img": {"loading": "lazy"}},
    **_COMMON,
)
