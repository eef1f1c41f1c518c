"""Which modules a source imports, wherever in it the import stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import attrs

from contract.sources import Source, typed_only

__all__ = ["Import", "imports_of"]


@attrs.frozen
class Import:
    """One imported module; `name` is what was taken from it, or "" for the module itself."""

    module: str
    name: str
    line: int
    typed_only: bool

    @property
    def top(self) -> str:
        """The distribution's top-level name."""
        return self.module.split(".")[0]


def _base(source: Source, node: ast.ImportFrom) -> str:
    """Return the absolute name of the module after `from`."""
    if not node.level:
        return node.module or ""
    package = source.module.split(".")
    if source.path.name != "__init__.py":
        package.pop()
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, node.module] if node.module else package)


def _lazily(node: ast.Call) -> str | None:
    """Return the module that `import_module("name")` or `__import__("name")` names."""
    called = ast.unparse(node.func)
    if called in {"import_module", "importlib.import_module", "__import__"} and node.args:
        name = node.args[0]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            return name.value
    return None


def imports_of(source: Source) -> Iterator[Import]:
    """Yield every import of a source, in functions and under TYPE_CHECKING too."""
    unreal = typed_only(source.tree)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, "", node.lineno, node in unreal)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield Import(_base(source, node), alias.name, node.lineno, node in unreal)
        elif isinstance(node, ast.Call) and (module := _lazily(node)):
            yield Import(module, "", node.lineno, node in unreal)
