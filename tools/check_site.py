"""Check the built documentation: every link inside it leads somewhere, and no page loads anything from another host.

    python tools/check_site.py site

Zensical checks the links of each Markdown page. This checks what was built: what pages include and the theme adds.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {"src", "srcset", "poster", "data", "action", "formaction"}
EXTERNAL_CSS = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])((?:https?:)?//[^"')\s]+)""")


class Page(HTMLParser):
    """The names in a page, where its links lead, and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.names, self.links, self.loads = path, set[str](), list[str](), list[str]()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what one tag names, links to or loads."""
        for key, value in attrs:
            if value is None:
                continue
            if key == "id" or (tag == "a" and key == "name"):
                self.names.add(value)
            elif key == "href":
                (self.links if tag in ("a", "area") else self.loads).append(value)
            elif key in LOADS:
                self.loads.append(value.split()[0] if key == "srcset" else value)
            elif key == "style":
                self.loads += EXTERNAL_CSS.findall(value)

    def handle_data(self, data: str) -> None:
        """Styles within the page load things too."""
        if self.lasttag == "style":
            self.loads += EXTERNAL_CSS.findall(data)


def faults(site: Path) -> list[str]:
    """One line for each dead link and each thing that would be loaded from another host."""
    pages = {path.resolve(): Page(path) for path in sorted(site.rglob("*.html"))}
    lines = []
    for path, page in pages.items():
        for target in page.links + page.loads:
            parts = urlsplit(target)
            if parts.scheme in ("http", "https") or parts.netloc:
                if target in page.loads:
                    lines.append(f"{page.path}: loads {target} from another host")
                continue
            # Pages that stand for an address which was not found are served anywhere, so their links begin at the root.
            if parts.scheme in ("mailto", "data") or page.path.name == "404.html":
                continue
            file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            file = file / "index.html" if file.is_dir() else file
            if not file.is_file():
                lines.append(f"{page.path}: {target} does not exist")
            elif parts.fragment and file in pages and unquote(parts.fragment) not in pages[file].names:
                lines.append(f"{page.path}: {target}: {file.name} has nothing of this name")
    for sheet in sorted(site.rglob("*.css")):
        lines += [f"{sheet}: loads {target} from another host" for target in EXTERNAL_CSS.findall(sheet.read_text())]
    return lines


def main() -> int:
    """Print the faults; 1 if there are any."""
    site = Path(sys.argv[1] if len(sys.argv) > 1 else "site")
    if not (site / "index.html").is_file():
        print(f"{site}: no site here: build it first (make docs)", file=sys.stderr)
        return 2
    lines = faults(site)
    print("\n".join(lines) or f"{site}: every link leads somewhere, and nothing is loaded from another host")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
