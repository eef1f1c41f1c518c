"""What the documentation tells a reader to write and to run works, in the order in which it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.documents import Folder, blocks
from contract.sources import ROOT

FIRST_PLUGIN = ROOT / "docs/tutorial/first-plugin.md"
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/tutorial/*.md")), *sorted(ROOT.glob("docs/how-to/*.md"))]
EXAMPLES = sorted(ROOT.glob("examples/*.py"))


def run(page: Path, folder: Folder) -> None:
    for block in blocks(page):
        folder.follow(block)


@pytest.mark.capability("A18")
def test_tutorial_ends_with_a_plugin_that_works_and_passes_its_tests(tmp_path: Path) -> None:
    text = FIRST_PLUGIN.read_text("utf-8")
    assert [verb for verb in ("load_model", "predict", "train", "evaluate") if f'register("{verb}"' in text] == [
        "load_model", "predict", "train", "evaluate",
    ]  # fmt: skip
    run(FIRST_PLUGIN, Folder(tmp_path))


@pytest.mark.parametrize("page", [page for page in PAGES if page != FIRST_PLUGIN], ids=lambda page: page.name)
def test_blocks_of_the_page_run_in_order(page: Path, tmp_path: Path) -> None:
    run(page, Folder(tmp_path))


def test_there_are_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example_runs_as_it_is_and_says_something(example: Path, tmp_path: Path) -> None:
    assert Folder(tmp_path).run(example).strip()


def test_readme_shows_the_example_as_it_is() -> None:
    example = (ROOT / "examples/client.py").read_text("utf-8")
    docstring, _, rest = example.partition("\n\n")
    assert docstring.startswith('"""')
    assert rest in [block.text for block in blocks(ROOT / "README.md")]


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
    run(page, folder)
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
