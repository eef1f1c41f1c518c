"""Links between the pages lead to a page, a chapter or a file that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contract.sources import ROOT

PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("core/*.md")),
    *sorted(ROOT.glob("plugins/*/*.md")),
    *sorted(ROOT.glob("examples/*/*.md")),
]
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def links(page: Path) -> list[str]:
    """Return the targets that lie in the repository, outside of blocks of code."""
    found = re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", page.read_text("utf-8")))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def chapters(page: Path) -> set[str]:
    """Return the anchors that a page offers, made from its headings as the usual hosts make them."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_nowhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return not target.exists() or bool(anchor and anchor not in chapters(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_the_page_lead_somewhere(page: Path) -> None:
    assert not [link for link in links(page) if leads_nowhere(page, link)]


def test_index_names_every_page() -> None:
    index = ROOT / "docs/README.md"
    named = {(index.parent / link).resolve() for link in links(index)}
    assert not set(ROOT.glob("docs/**/*.md")) - named - {index}
