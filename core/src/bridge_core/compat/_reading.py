"""An old class read from its source: nothing of it is imported."""

from __future__ import annotations

import ast
import os
import sys
import textwrap
import tokenize
from collections.abc import Iterator

from msgspec import Struct

from bridge_core.errors import PluginLoadFailedError

from ._failures import load_failed
from ._names import framework_name
from ._parameters import Function, Parameters, parameters_of
from ._registrations import DEFINITIONS, own_nodes, registrations_in, stray_registrations
from ._shapes import REGISTERING, SUPPORTED

__all__ = ["OldClass", "OldHandler", "read_class"]

_INITIALISERS = ("_initialize_framework", "load")


class OldHandler(Struct, kw_only=True, frozen=True):
    """One handler, as far as the source shows it."""

    name: str
    """As peers say it."""
    parameters: Parameters
    doc: str
    body: str
    """Its source, with comments, at the left margin; what was registered where there is none in the file."""
    is_async: bool = False
    streams: bool = False


class OldClass(Struct, kw_only=True, frozen=True):
    """What is known of a class without running it."""

    file: str
    name: str
    framework: str
    imports: tuple[str, ...]
    """The modules that its framework consists of: what it imports and the standard library lacks."""
    handlers: tuple[OldHandler, ...]
    unread: tuple[int, ...]
    """The lines that may register others, which only running them would show."""
    initialise: str
    """The source of what brings the framework in."""
    configure: OldHandler | None
    """What configures a framework plugin."""
    serialises: str
    """The source of `serialize_result`."""


def read_class(path: str, name: str = "") -> OldClass:
    """Read a class; without a name, the only one in the file that can be served.

    Raises:
        OSError: The file cannot be read.
        PluginLoadFailedError: It is no Python, or has no such class.
    """
    if os.path.exists(path) and not os.path.isfile(path):  # a pipe would be waited for
        raise load_failed(path, "import", "it is no regular file", "name a Python file, FILE.py:CLASS")
    try:
        with tokenize.open(path) as file:  # in the encoding that it declares
            text = file.read()
        tree = ast.parse(text, path)
    except (SyntaxError, ValueError, RecursionError) as exc:
        raise load_failed(
            path, "import", f"it is not Python {sys.version_info.major}: {exc}", "mend it first"
        ) from None
    source = _Source(path, text, tree)
    try:
        return source.read(source.find(name))
    except RecursionError:  # a class whose bases lead back to it
        raise load_failed(path, "import", "it is nested too deeply, or in circles", "mend it first") from None


class _Source:
    """One file and where its classes and functions are."""

    def __init__(self, path: str, text: str, tree: ast.Module) -> None:
        self.path, self.text, self.tree = path, text, tree
        self.classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        self.functions = {node.name: node for node in tree.body if isinstance(node, DEFINITIONS)}

    def find(self, name: str) -> ast.ClassDef:
        """Return the class that is meant."""
        served = [one for one in self.classes.values() if self._is_served(one)]
        inherited = {ast.unparse(base) for one in served for base in one.bases}
        served = [one for one in served if one.name not in inherited]
        names = ", ".join(one.name for one in served) or "none"
        if name:
            if found := self.classes.get(name):
                if self._is_served(found):
                    return found
                raise self._failed(f"{name} has none of what old bridges have", f"it needs {SUPPORTED}")
            raise self._failed(f"it has no class {name!r}", f"its classes that can be served: {names}")
        if len(served) != 1:
            cause = "several of its classes could be meant" if served else f"none of its classes has {SUPPORTED}"
            raise self._failed(cause, f"name one, FILE:CLASS; found: {names}")
        return served[0]

    def read(self, node: ast.ClassDef) -> OldClass:
        """Gather what the generator needs."""
        functions = self._functions(node)
        registers = [functions[name] for name in (*REGISTERING, "get_handlers") if name in functions]
        registrations = [found for one in registers for found in registrations_in(one)]
        pairs = {one.name: one.handler for one in registrations if one.name is not None}
        others = [one for one in functions.values() if one not in registers]
        registrations += [found for one in others for found in stray_registrations(one)]
        configure = functions.get("configure") if "load" in functions and not _is_bridge(functions) else None
        initialiser = next((functions[name] for name in _INITIALISERS if name in functions), None)
        stem = os.path.splitext(os.path.basename(self.path))[0]
        return OldClass(
            file=os.path.basename(self.path),
            name=node.name,
            framework=framework_name(_named(node, functions), stem),
            imports=tuple(self._imports(node, initialiser)),
            handlers=tuple(self._handler(name, value, functions) for name, value in pairs.items()),
            unread=tuple(sorted({one.line for one in registrations if one.name is None})),
            initialise=self._body(initialiser) if initialiser else "",
            configure=self._handler("configure", configure, functions) if configure else None,
            serialises=self._body(functions["serialize_result"]) if "serialize_result" in functions else "",
        )

    def _functions(self, node: ast.ClassDef) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
        """Return the functions of a class, with those of its bases in the same file."""
        found: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        for base in reversed(node.bases):
            known = self.classes.get(ast.unparse(base))
            if known is not None and known is not node:
                found.update(self._functions(known))
        found.update((one.name, one) for one in node.body if isinstance(one, DEFINITIONS))
        return found

    def _is_served(self, node: ast.ClassDef) -> bool:
        functions = self._functions(node)
        return _is_bridge(functions) or "load" in functions

    def _handler(
        self, name: str, value: ast.AST, functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]
    ) -> OldHandler:
        function: Function | None = None
        if isinstance(value, ast.Attribute):
            function = functions.get(value.attr)
        elif isinstance(value, ast.Name):
            function = self.functions.get(value.id)
        elif isinstance(value, (*DEFINITIONS, ast.Lambda)):
            function = value
        if function is None:
            return OldHandler(name=name, parameters=Parameters(whole=True), doc="", body=ast.unparse(value))
        bound = (
            isinstance(function, DEFINITIONS) and functions.get(function.name) is function and not _is_static(function)
        )
        return OldHandler(
            name=name,
            parameters=parameters_of(function, bound=bound),
            doc=(ast.get_docstring(function) or "") if isinstance(function, DEFINITIONS) else "",
            body=self._body(function) if isinstance(function, DEFINITIONS) else ast.unparse(function),
            is_async=isinstance(function, ast.AsyncFunctionDef),
            streams=any(isinstance(one, (ast.Yield, ast.YieldFrom)) for one in own_nodes(function)),
        )

    def _body(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
        """Return the lines of a function below its docstring."""
        statements = function.body[1:] if ast.get_docstring(function) is not None else function.body
        if not statements:
            return ""
        if statements[0].lineno == function.lineno:  # all in one line
            return "\n".join(map(ast.unparse, statements))
        decorators = getattr(statements[0], "decorator_list", [])
        begin = min(one.lineno for one in [statements[0], *decorators]) - 1
        if statements is not function.body:  # with the comments between the docstring and the first statement
            begin = min(begin, function.body[0].end_lineno or begin)
        lines = self.text.splitlines()[begin : function.end_lineno]
        return textwrap.dedent("\n".join(lines)).strip("\n")

    def _imports(self, node: ast.ClassDef, initialiser: ast.AST | None) -> Iterator[str]:
        """Yield the modules that it imports: where it initialises, and elsewhere but for its neighbours."""
        bases = set(self._bases(node))
        within = list(ast.walk(initialiser)) if initialiser else []
        seen: set[str] = set()
        for one in [*self.tree.body, *within]:
            for module, brings in _imported(one):
                top = module.partition(".")[0]
                known = _is_known(top) or (one not in within and self._is_neighbour(top))
                if not (brings & bases or module in seen or known):
                    seen.add(module)
                    yield module

    def _bases(self, node: ast.ClassDef) -> Iterator[str]:
        """Yield the first words of a class's bases, and of theirs in the same file."""
        for base in node.bases:
            yield ast.unparse(base).partition(".")[0]
            known = self.classes.get(ast.unparse(base))
            if known is not None and known is not node:
                yield from self._bases(known)

    def _is_neighbour(self, top: str) -> bool:
        folder = os.path.dirname(os.path.abspath(self.path))
        return os.path.exists(os.path.join(folder, f"{top}.py")) or os.path.isdir(os.path.join(folder, top))

    def _failed(self, cause: str, remedy: str) -> PluginLoadFailedError:
        return load_failed(self.path, "hooks", cause, remedy)


def _is_bridge(functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]) -> bool:
    return any(name in functions for name in REGISTERING)


def _is_static(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(one) == "staticmethod" for one in function.decorator_list)


def _is_known(top: str) -> bool:
    return top in sys.stdlib_module_names or top == "bridge_core" or not top


def _named(node: ast.ClassDef, functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]) -> str | None:
    """Return the framework's name, if it stands in `get_framework_info` or as `name`."""
    if "get_framework_info" in functions:
        for one in ast.walk(functions["get_framework_info"]):
            if isinstance(one, ast.Dict):
                for key, value in zip(one.keys, one.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "name" and isinstance(value, ast.Constant):
                        return str(value.value)
    assigned = [one.value for one in node.body if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "name"]
    within = list(ast.walk(functions["name"])) if "name" in functions else []
    returned = [one.value for one in within if isinstance(one, ast.Return) and one.value is not None]
    for value in [*assigned, *returned]:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
    return None


def _imported(node: ast.AST) -> Iterator[tuple[str, set[str]]]:
    """Yield each module that a statement imports with the names that it brings into the file."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name, {(alias.asname or alias.name).partition(".")[0]}
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
        yield node.module, {alias.asname or alias.name for alias in node.names}
    elif isinstance(node, (ast.Try, ast.If)):
        for inside in [*node.body, *(one for handler in getattr(node, "handlers", []) for one in handler.body)]:
            yield from _imported(inside)
