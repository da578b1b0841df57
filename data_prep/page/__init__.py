"""Pages of one HTML file: escaped by construction, nothing fetched, readable in light, dark and on paper."""

from data_prep.page.html import Node, document, element, picture, said, section, table
from data_prep.page.pictures import jpeg, strip

__all__ = ["Node", "document", "element", "jpeg", "picture", "said", "section", "strip", "table"]
