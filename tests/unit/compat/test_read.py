"""How old classes are read without running them."""

from __future__ import annotations

import ast
import builtins
from pathlib import Path

import pytest

from bridge_core.compat._parameters import Parameter, Parameters, parameters_of
from bridge_core.compat._reading import OldClass, read_class
from bridge_core.compat._skeleton import skeleton
from bridge_core.compat._writing import docstring, function_name, quoted, signature
from bridge_core.errors import PluginLoadFailedError

pytestmark = [pytest.mark.capability("D09")]


def inferred(body: str, head: str = "self, args") -> Parameters:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    (function,) = ast.parse(f"def f({head}):\n{lines}").body
    assert isinstance(function, ast.FunctionDef)
    return parameters_of(function)


def written(body: str, head: str = "self, args") -> list[str]:
    return [one.written() for one in inferred(body, head).named]


@pytest.mark.parametrize(
    ("body", "parameters"),
    [
        ('return args["x"]', ["x: Any"]),
        ('return args.get("x")', ["x: Any = None"]),
        ('return args.get("x", 3)', ["x: int = 3"]),
        ('return args.get("x", -1.5)', ["x: float = -1.5"]),
        ('return args.get("x", 1e999)', ["x: Any = None"]),
        ("return args.pop('x', 'a\"b')", ['x: str = "a\\"b"']),
        ('return args.pop("x")', ["x: Any"]),
        ('return args.get("x", False)', ["x: bool = False"]),
        ('return args.get("x", [])', ["x: list[Any] | None = None"]),
        ('return args.get("x", {})', ["x: dict[str, Any] | None = None"]),
        ('return args.get("x", self.default)', ["x: Any = None"]),
        ('if "x" in args:\n    return args["x"]', ["x: Any = None"]),
        ('if "x" not in args:\n    raise ValueError\nreturn args["x"]', ["x: Any"]),
        ('return args["x"], args.get("x", 2)', ["x: int = 2"]),
        ('return args["b"], args.get("a", 1), args["c"]', ["b: Any", "c: Any", "a: int = 1"]),
        ('return [args["x"] for _ in range(3)]', ["x: Any"]),
        ('other["x"] = args["y"]', ["y: Any"]),
    ],
)
def test_parameters_are_what_the_body_takes(body: str, parameters: list[str]) -> None:
    assert written(body) == parameters
    assert not inferred(body).whole


@pytest.mark.parametrize(
    ("head", "parameters"),
    [
        ("self, a, b=2, *, c: str = 'x'", []),
        ("self, a, b: int, c='x'", ["a: Any", "b: int", 'c: str = "x"']),
        ("self, *, a: bool, session_id", ["a: bool"]),
        ("self, *, a: str = None", ["a: str | None = None"]),
        ("self, **kwargs", []),
        ("self", []),
    ],
)
def test_parameters_are_those_that_are_declared(head: str, parameters: list[str]) -> None:
    assert written("pass", head) == parameters


def test_rest_of_the_arguments_is_known_to_be_unknown() -> None:
    assert inferred('return args["x"], dict(**args)').whole
    assert inferred("pass", "self, **kwargs").whole
    assert inferred('return args["top-k"], args["class"]').unnamed == ("top-k", "class")


READ = '''
import os
import numpy as np
from transformers import pipeline
from base import Base
from own_neighbour import helper
try:
    import torch
except ImportError:
    torch = None

class Middle(Base):
    def inherited(self, args):
        return args["deep"]

class Bridge(Middle):
    name = "named"
    def _initialize_framework(self):
        """Bring it in."""
        # comment
        import tiny.part
        self.x = 1
    def _register_handlers(self):
        self._handlers["index"] = self.index
        self.register_handler("call", free)
        self.register_handler("made", make("x"))
        self._handlers.update({"inherited": self.inherited, "static": self.static, **others, "data": 3})
    def index(self, args): return {"nested": self.missing}
    @staticmethod
    def static(args):
        return args["s"]

def free(args):
    """Free."""
    return args["f"]
'''


def read(tmp_path: Path, source: str, name: str = "") -> OldClass:
    (tmp_path / "own_neighbour.py").touch()
    file = tmp_path / "old_bridge.py"
    file.write_text(source, encoding="utf-8")
    return read_class(str(file), name)


def test_class_is_read_with_its_bases_and_neighbours(tmp_path: Path) -> None:
    old = read(tmp_path, READ)
    assert (old.name, old.framework, old.file) == ("Bridge", "named", "old_bridge.py")
    assert old.imports == ("numpy", "transformers", "torch", "tiny.part")
    assert old.initialise == "# comment\nimport tiny.part\nself.x = 1"
    found = {one.name: (one.body, [parameter.name for parameter in one.parameters.named]) for one in old.handlers}
    assert found == {
        "index": ("return {'nested': self.missing}", []),
        "call": ('return args["f"]', ["f"]),
        "made": ("make('x')", []),
        "inherited": ('return args["deep"]', ["deep"]),
        "static": ('return args["s"]', ["s"]),
    }


@pytest.mark.parametrize(("head", "encoding"), [("# coding: latin-1\n", "latin-1"), ("", "utf-8-sig")])
def test_source_is_read_in_the_encoding_that_it_declares(tmp_path: Path, head: str, encoding: str) -> None:
    file = tmp_path / "old_bridge.py"
    file.write_text(f"{head}class Bridge:\n    def load(self):\n        'é'\n        return 'é'\n", encoding=encoding)
    assert read_class(str(file)).initialise == "return 'é'"
    file.write_bytes(file.read_bytes().replace(b"latin-1", b"utf-8").replace(b"\xef\xbb\xbf", b"'\xff'\n"))
    with pytest.raises(PluginLoadFailedError):
        read_class(str(file))


@pytest.mark.parametrize(
    ("source", "framework"),
    [
        ('    def get_framework_info(self):\n        return {"name": "DSPy", "version": v}', "dspy"),
        ('    def name(self):\n        return "Meth"', "meth"),
        ("    def name(self):\n        return self.n", "old_bridge"),
    ],
)
def test_framework_is_what_the_source_calls_it(tmp_path: Path, source: str, framework: str) -> None:
    text = f"class Bridge:\n    def _register_handlers(self):\n        return {{'a': self.a}}\n{source}\n"
    assert read(tmp_path, text).framework == framework


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("class", ""),
        ("x = 1\0", ""),
        ("class Bridge: pass", ""),
        ("class Bridge: pass", "Bridge"),
        (READ, "Nobody"),
        ("class A(B): pass\nclass B(A):\n    def load(self): pass", ""),
        (READ + "class Second(Middle):\n    def _register_commands(self): pass", ""),
    ],
    ids=["no Python", "NUL", "no bridge", "nothing of a bridge", "no such class", "circle", "two"],
)
def test_source_that_cannot_be_meant_is_refused(tmp_path: Path, source: str, name: str) -> None:
    with pytest.raises(PluginLoadFailedError):
        read(tmp_path, source, name)


AWKWARD = '''
class Bridge:
    def _register_handlers(self):
        return {"class": self.a, "print": self.b, "create_program": self.c, "Ω": self.d, "ctx": self.e, "empty": self.f}
    def a(self, args):
        r"""Ends with a \\ and "quotes\\""""
        some = args["ctx"], args["a_rather_long_name_of_an_argument"]
        return some, args.get("another_long_name_of_an_argument", "x" * 3)
    def b(self, args):
        """Say \\"\\"\\" and
          more.

        And a tab:\tx.
        """
    def c(self, args):
        some = args["a" "b"], args["and_yet_another_name_that_is_rather_long_indeed"]
        return some, args["and_yet_another_name_even_longer"]
    def d(self, args):
        x = """

        text   \n        """
        return x
    def e(self, args):
        @staticmethod
        def inner(): pass
        return inner
    async def f(self, args):
        "Only this."
'''


def test_whatever_is_read_the_skeleton_is_python(tmp_path: Path) -> None:
    files = skeleton(read(tmp_path, AWKWARD))
    for path, text in files.items():
        if path.endswith(".py"):
            compile(text, path, "exec")
            assert text.endswith("\n")
            assert not [line for line in text.splitlines() if line.rstrip() != line]
    operations = files["bridge_old_bridge/_operations.py"]
    functions = [
        node.name for node in ast.parse(operations).body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    assert functions == [
        "class_", "print_", "create_program", "operation", "ctx", "empty",
        "execute_program", "list_programs", "get_program", "delete_program",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "names", "unread"),
    [
        ("for n in 'ab': self.register_handler(n, getattr(self, n))", [], (4,)),
        ("self._handlers.update({n: getattr(self, n) for n in 'ab'})", [], (4,)),
        ("self._handlers.update(dict(c=self.a), d=self.a)", ["c", "d"], ()),
        ("self._handlers.update(self.more())", [], (4,)),
        ("return self.HANDLERS", [], (4,)),
        ("self._handlers = TABLE", [], (4,)),
        ("self._handlers[name] = self.a", [], (4,)),
        ("self._handlers = {'q': self.a, **self.more}", ["q"], (4,)),
        ("super()._register_handlers()", [], (4,)),
        ("self._handlers.setdefault('q', self.a); return self._handlers", ["q"], ()),
        ("found = {}; found['q'] = self.a; return found", ["q"], ()),
        ("return {**{'q': self.a}}", ["q"], ()),
        ("self._limits = {'rate': 3}", [], ()),
        ("\n  @self.register_handler('q')\n  def q(args): return args['k']", ["q"], ()),
        ("\n  @self.register_handler(name)\n  def q(args): return args['k']", [], (5,)),
    ],
)
def test_what_is_registered_is_read_or_said(tmp_path: Path, body: str, names: list[str], unread: tuple[int]) -> None:
    old = read(tmp_path, f"class B:\n def a(self, args): pass\n def _register_handlers(self):\n  {body}\n")
    assert (sorted(one.name for one in old.handlers), old.unread) == (names, unread)


def test_registration_elsewhere_is_said(tmp_path: Path) -> None:
    init = " def __init__(self):\n  self.register_handler('late', self.a)\n"
    old = read(tmp_path, f"class B:\n{init} def _register_handlers(self): pass\n def a(self, args): pass\n")
    assert old.unread == (3,)


def test_odd_characters_and_names_of_arguments_make_no_odd_source(tmp_path: Path) -> None:
    source = (
        "class B:\n def _register_handlers(self): return {'a': self.a, 'x\\ny\\ud800': self.b}\n"
        " def a(self, args):\n  '\\x00\\ud800 doc'\n  return args['ctx'], args['context'], args.get('s', '\\ud800')\n"
        " def b(self, args):\n  '\\x00'\n"
    )
    files = skeleton(read(tmp_path, source))
    text = files["bridge_old_bridge/_operations.py"]
    compile(text.encode(), "_operations.py", "exec", dont_inherit=True)
    assert "context_: CallContext" in text


def test_framework_plugin_without_operations_gets_one(tmp_path: Path) -> None:
    files = skeleton(read(tmp_path, "class P:\n    name = 'p'\n    def load(self): import tiny\n"))
    assert 'imports=("tiny",)' in files["bridge_p/plugin.py"]
    assert '"p.version"' in files["tests/test_plugin.py"]


def test_pieces_are_laid_out_as_the_formatter_would() -> None:
    assert docstring('a "b"') == '    """a "b\\""""\n'
    assert docstring("a\n\n  b\\") == '    """a\n\n      b\\\\\n    """\n'
    assert quoted("It was:", "") == "    # It was:\n    #\n    #     pass\n"
    assert signature("def f", "ctx: C", [], "None") == "def f(ctx: C) -> None:\n"
    long = [Parameter(name="x" * 60), Parameter(name="y" * 60)]
    lines = signature("def f", "ctx: C", long, "None").splitlines()
    assert lines == ["def f(", "    ctx: C,", "    *,", f"    {'x' * 60}: Any,", f"    {'y' * 60}: Any,", ") -> None:"]


def test_functions_hide_nothing_of_pythons() -> None:
    assert not hasattr(builtins, function_name("list"))
    assert function_name("train") == "train"
