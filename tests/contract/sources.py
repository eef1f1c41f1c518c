"""The sources that contract tests read: parsed once, with the names that the rules speak of."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import attrs

__all__ = ["PACKAGES", "ROOT", "Source", "code_lines", "core", "packages", "plugins", "shipped", "suite", "typed_only"]

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = [ROOT / "core", *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


@attrs.frozen(eq=False)
class Source:
    """One Python file of ours."""

    path: Path
    module: str
    """Dotted name; a package's `__init__` is named like the package."""

    @property
    def name(self) -> str:
        """The path as a reader of the repository would write it."""
        return str(self.path.relative_to(ROOT))

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def tree(self) -> ast.Module:
        return _parse(self.path)

    @property
    def component(self) -> str:
        """What the layers are made of: the first name below the package, "" for the package itself."""
        return [*self.module.split("."), ""][1]


@cache
def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _below(folder: Path) -> list[Source]:
    found = []
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        found.append(Source(path, ".".join(parts[:-1] if parts[-1] == "__init__" else parts)))
    return found


def core() -> list[Source]:
    """Return the modules of bridge_core."""
    return _below(ROOT / "core" / "src")


def plugins() -> list[Source]:
    """Return the modules of all plugins."""
    return [source for package in PACKAGES[1:] for source in _below(package / "src")]


def shipped() -> list[Source]:
    """Return everything that users install."""
    return core() + plugins()


def suite() -> list[Source]:
    """Return the tests and what they share."""
    return _below(ROOT / "tests")


def packages() -> list[str]:
    """Return the import names of the packages that users install."""
    return sorted({source.module.split(".")[0] for source in shipped()})


def code_lines(text: str) -> int:
    """Count the lines that hold code: no blank lines, comments or docstrings."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _LAYOUT:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        # A string that stands alone is a docstring, also the one that follows a field.
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def typed_only(tree: ast.Module) -> set[ast.AST]:
    """Return the nodes below `if TYPE_CHECKING:`, which never run."""

    def found() -> Iterator[ast.AST]:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
                for statement in node.body:
                    yield from ast.walk(statement)

    return set(found())
