"""What the documentation tells a reader to write and to run works, in the order in which it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.documents import Folder, blocks
from contract.sources import ROOT

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/tutorial/*.md")), *sorted(ROOT.glob("docs/how-to/*.md"))]


def test_there_is_a_tutorial() -> None:
    assert [page for page in PAGES if page.parent.name == "tutorial"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_of_the_page_run_in_order(page: Path, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for block in blocks(page):
        folder.follow(block)


PAGE = """
```python file=pkg/greet.py
def hello(): return "hello, you"
```

```python
from pkg.greet import hello
print(hello())
print("and more")
```

<!-- output -->
```text
hello, …
```

<!-- run -->
```bash
python -c 'from pkg.greet import hello; print(hello())' > said.txt && cat said.txt
```

```bash
this is not run
```
"""


def follow(text: str, path: Path) -> Folder:
    page = path / "page.md"
    page.write_text(text, encoding="utf-8")
    folder = Folder(path)
    for block in blocks(page):
        folder.follow(block)
    return folder


def test_page_that_is_right_passes(tmp_path: Path) -> None:
    assert follow(PAGE, tmp_path).printed == "hello, you\n"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("and more", '")or 1/0#'),
        ("hello, …", "goodbye, …"),
        ("cat said.txt", "cat unsaid.txt"),
        ("<!-- output -->\n```text\n", "<!-- output -->\n```text\nand more\n"),
    ],
    ids=["python fails", "other output", "bash fails", "other order"],
)
def test_page_that_is_wrong_fails(right: str, wrong: str, tmp_path: Path) -> None:
    assert right in PAGE
    with pytest.raises(AssertionError):
        follow(PAGE.replace(right, wrong), tmp_path)
