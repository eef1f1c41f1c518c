"""Tables of what a hostile peer tries, the policies under which it tries, and the objects that it has."""

from __future__ import annotations

import functools
import os
import sys
import types
from typing import Any

import attacked
import attacked.inner
from unit.calls.desk import VERBS

NOT_ALLOWED = "TARGET_NOT_ALLOWED"
TARGETS = [verb for verb in VERBS if verb != "reference"]

VOUCHED = (
    "attacked.Record", "attacked.Record.get", "attacked.Record.joined", "attacked.Record.empty",
    "attacked.DetailedRecord.save", "attacked.inner.Engine.start", "attacked.Shape.area", "attacked.double",
)  # fmt: skip
STAND_INS = {"attacked.Tool": "attacked:made", "attacked.Tool.__call__": "attacked:checked"}
STANDARD = [
    "json", "collections", "decimal", "enum", "functools", "itertools", "operator", "os.path", "statistics", "string",
    "textwrap", "typing.cast", "urllib.parse", "xml.dom.minidom",
]  # fmt: skip
DENIED = [
    "attacked.inner.danger", "attacked.inner.Engine.shell", "attacked.inner.Engine.secret", "attacked.inner.Turbo",
    "attacked.inner.SETTINGS", "attacked.lazy", "json.tool", "logging.*", "attacked.Shape.__call__",
    "attacked.handlers",
]  # fmt: skip

POLICIES: dict[str, dict[str, Any]] = {
    "default": {},
    "standard": {"allow": STANDARD},
    "module": {"allow": ["attacked", "attacked.lazy"]},
    "tree": {"allow": ["attacked.*", "xml.*", "logging.config"], "deny": DENIED},
    "any": {"allow_any": True, "deny": [*DENIED, "os", "subprocess", "importlib.*", "builtins.eval", "pickle", "sys"]},
}

# Under which policies what is refused, by `call`, `attribute`, `inspect` and as a step of a pipeline.
NAMED = """
# modules that nobody allows
default standard module tree: os.system subprocess.Popen importlib.import_module builtins.eval
default standard module tree: sys.modules ctypes.CDLL pickle.loads marshal.loads runpy.run_path
default standard module tree: code.InteractiveInterpreter gc.get_objects inspect.currentframe
default standard module tree: types.FunctionType pty.spawn bridge_core.Bridge shutil.rmtree
default: json.dumps attacked.start attacked.inner.LIMIT math.pi json
# walks through modules
default standard module tree: dspy.os.system dspy.LocalInterpreter dspy.PythonInterpreter
standard: json.codecs.builtins.eval json.codecs.open json.decoder.scanner json.decoder.JSONDecoder
standard: statistics.math.sqrt statistics.random.Random statistics.fsum
standard: xml.dom.minidom.io.open xml.dom.minidom.xml.sax xml.sax.make_parser xml.dom.domreg
standard: collections.abc.Mapping collections.namedtuple.os enum.sys.modules
standard: os.path.os.system os.path.genericpath.os.system os.path.sys.modules os.getenv
standard: typing.sys typing.get_type_hints typing.cast.x jsonlike.dumps
standard: json5.loads js.dumps jso json_ JSON.dumps urllib.request.urlopen
module tree: attacked.os.system attacked.os attacked.sys.modules attacked.functools.partial
module tree: attacked.logging.os.system attacked.abstract.Mapping attacked.types.FunctionType
module: attacked.inner.danger attacked.inner.Engine attacked.inner.LIMIT attacked.inner.os.system
tree: attacked.inner.os.system attacked.inner.os.sys.modules xml.dom.minidom.io.open
module: attacked.lazy.module attacked.lazy.module.system attacked.lazy.anything attacked.lazy.os
# brought along from elsewhere under a name of an allowed module
module tree: attacked.system attacked.Popen attacked.getLogger attacked.Enum attacked.Any
module tree: attacked.environ attacked.ENVIRONMENT attacked.remembered attacked.bound
module tree: attacked.run_later attacked.run_twice attacked.run_later.func attacked.run_later.args
module tree: attacked.log.info attacked.log.manager attacked.log.handlers attacked.code.co_code
module tree: attacked.code.replace attacked.handlers.run attacked.everything.pop.x
# classes: what they hold, what they have from metaclasses
module tree: attacked.Shape.helper attacked.Shape.helper.system attacked.Shape.launch
module tree: attacked.Shape.process attacked.Shape.mro attacked.Meta.mro attacked.Color.mro
module tree: attacked.Shape.area.real attacked.double.numerator attacked.Text.maketrans
# texts that walk attributes, texts that name them, and pickles
standard: string.Formatter.format string.Formatter.vformat string.Formatter.get_field
standard: collections.UserString.format collections.UserString.format_map
standard: operator.attrgetter operator.methodcaller functools.update_wrapper functools.wraps
module tree: attacked.Text.format attacked.Text.format_map attacked.Text.upper
# private names
standard module tree any: json.dumps.__globals__ json.dumps.__code__ json.__builtins__ json._x
standard module tree any: json.dumps.__self__ operator.add.__self__ json.__loader__ json.__dict__
standard module tree any: json.__spec__.loader json.dumps.__defaults__ json.JSONEncoder.__mro__
standard module tree any: json.JSONEncoder.__subclasses__ json.JSONEncoder.__init__.__globals__
standard module tree any: json.__call__.__self__ json.__len__.x __main__.x _thread.start_new
standard module tree any: json.JSONEncoder.__init__ json.__import__ json.JSONEncoder.__getattribute__
module tree any: attacked.Shape.__class__ attacked.Shape.__dict__ attacked.__getattr__ attacked._Method
# names that are not written as names
# denied wherever they are found
tree any: attacked.inner.danger attacked.inner.Turbo attacked.inner.Engine.shell attacked.inner.SETTINGS
tree any: attacked.Engine.shell attacked.engine.shell attacked.engine.secret attacked.Engine.secret
tree any: attacked.lazy.number attacked.lazy.anything logging.getLogger
tree any: logging.config.dictConfig attacked.logging.config attacked.handlers
any: attacked.log.info attacked.getLogger
tree any: attacked.Registered.close
any: os.system posix.system shutil.os.system attacked.system attacked.os attacked.remembered
any: subprocess.run attacked.Popen attacked.run_later attacked.run_twice importlib.util.find_spec
any: builtins.eval json.codecs.builtins.eval pickle.loads shelve.Unpickler sys.modules
any: multiprocessing.reduction.ForkingPickler.loads attacked.Shape.launch attacked.Shape.process
# what a plugin vouches for, and what is beside it
default: attacked.Record.save attacked.Record.kinds attacked.DetailedRecord attacked.inner.Engine
default: attacked.inner.Engine.stop attacked.Shape.unit attacked.Shape attacked.DetailedRecord.get
default: attacked.os.system attacked.Record.get.real attacked.double.real attacked.checked
default: attacked.Tool.real attacked.made attacked.unwanted.x attacked.Record.mro
"""


# Names that are not written as names are, or look like others: whatever they stand behind.
ODD = [
    "dumps\0", "dumps\n", "\0dumps", "\ndumps", " dumps", "dumps ", "du mps", "dumps()", "du/mps", "du:mps", "dumps[0]",
    "\uff44umps", "\uff3f\uff3fdict\uff3f\uff3f", "\uff3fx", "du\u00admps", "dumps\u200b", "1", "-1", "d\ud800",
    "*", "#",
    "\x1b[31mdumps",
    "\u2024", "\ufe33x", "'", '"', "\\", "$", "{0}", "%s",
]  # fmt: skip


class Forged(attacked.Record):
    """A class of nobody's that says it is of a module that is allowed."""

    __module__ = "elsewhere"

    def area(self) -> int:
        raise AssertionError("called")


@functools.wraps(attacked.Record.get)
def _forged_get(self: object) -> str:
    raise AssertionError("called")


def things() -> dict[str, Any]:
    """Return the objects of the attacked session."""
    return {
        "mod": os, "eval": eval, "system": os.system, "popen": attacked.Popen, "partial": attacked.run_later,
        "twice": attacked.run_twice, "cached": attacked.remembered, "bound": attacked.bound, "kind": type,
        "shape": attacked.Shape(), "square": attacked.Square(), "text": attacked.Text("{0.__class__}"),
        "str": "{0.__class__}", "dict": {"os": os, "run": os.system}, "list": [os, [eval]], "err": attacked.failed(),
        "gen": attacked.counting(), "code": attacked.code, "fn": attacked.double, "environ": os.environ,
        "log": attacked.log, "record": attacked.Record(a=1, fn=os.system, os=os), "forged": Forged(a=1),
        "detailed": attacked.DetailedRecord(a=1), "tool": attacked.Tool(), "engine": attacked.Engine("one"),
        "turbo": attacked.inner.Turbo("two"), "frame": sys._getframe(), "tuple": (1, os.system), "object": object(),
        "method": types.MethodType(_forged_get, attacked.Record()), "late": functools.partial(attacked.Tool()),
        "type": attacked.Color, "x": attacked.Shape(), "mapped": attacked.Mapped(),
        "lambda": lambda: None, "static": staticmethod(os.system),
    }  # fmt: skip


# Of stored objects: the same, and as references in arguments.
STORED = """
default standard module tree any: stored.mod stored.mod.system stored.mod.path.join stored.mod.environ
default standard module tree any: stored.eval stored.system stored.popen stored.popen.communicate
default standard module tree any: stored.partial stored.twice stored.cached stored.bound
default standard module tree: stored.kind stored.kind.mro stored.partial.func
default standard module tree: stored.system.real stored.fn.real stored.lambda
default standard: stored.method
default standard module tree: stored.static stored.object.real stored.environ stored.environ.copy
default standard module tree any: stored.shape.__class__ stored.shape.__class__.__mro__ stored.shape._hidden
default standard module tree any: stored.shape.__init__.__globals__ stored.shape.__init__ stored.shape.__dict__
default standard module tree any: stored.shape.area.__func__ stored.shape.area.__self__ stored.shape.__reduce__
default standard module tree any: stored.shape.area.__func__.__globals__ stored.x.__class__.__mro__
default standard module tree any: stored.fn.__globals__ stored.fn.__code__ stored.fn.__wrapped__
default standard module tree any: stored.partial.__self__ stored.partial.__reduce__ stored.gen.__next__
default standard module tree any: stored.err.__traceback__ stored.err.__traceback__.tb_frame stored.err.__cause__
default standard module tree: stored.gen.gi_frame stored.gen.send stored.gen.gi_frame.f_globals
default standard module tree: stored.code.co_consts stored.code.replace stored.frame.f_globals
default standard module tree: stored.frame.f_back.f_builtins stored.frame.clear stored.log.info
default standard module tree: stored.log.manager stored.log.parent.handlers stored.static.real
default standard module tree any: stored.str.format stored.str.format_map stored.str.translate stored.str.zfill
default standard module tree: stored.text.format stored.text.format_map
default standard: stored.text.upper stored.square.area stored.shape.size stored.shape stored.err.args
default standard module tree any: stored.dict.os stored.dict.fromkeys stored.list.__class__ stored.tuple.__add__
default standard module tree any: stored.dict.__setitem__ stored.dict.__init__ stored.list.__reduce_ex__
module tree any: stored.shape.os stored.shape.os.system stored.shape.module stored.shape.module.system
module tree: stored.shape.log.info stored.shape.say stored.shape.run stored.shape.later
module tree: stored.shape.forged stored.shape.walk stored.shape.runner stored.shape.helper
module tree any: stored.shape.launch stored.shape.process stored.square.os stored.square.run
module tree: stored.square.process stored.type.mro stored.shape.area.real
module tree: stored.forged.a stored.forged.get stored.forged.area
tree any: stored.engine.shell stored.engine.secret stored.turbo stored.turbo.start stored.turbo.name
tree any: stored.turbo.power stored.shape stored.shape.__call__ stored.square
any: stored.log.info
any: stored.shape.run stored.shape.later stored.shape.forged stored.shape.runner stored.dict.run
default: stored.record.save stored.record.fn stored.record.os stored.record.os.system stored.record.keys
default: stored.record.__getitem__ stored.record.get.real stored.detailed.get
default: stored.detailed.a stored.forged.a stored.forged.get stored.engine.stop stored.engine
default: stored.engine.name stored.turbo.start stored.shape.unit stored.late stored.tool.real
"""

# References in arguments with a path: items too.
REFERENCES: list[tuple[str, str, list[Any]]] = [
    ("default standard module tree any", "dict", ["os"]),
    ("default standard module tree any", "dict", ["os", "system"]),
    ("default standard module tree any", "dict", ["run"]),
    ("default standard module tree any", "dict", ["run", "__self__"]),
    ("default standard module tree any", "dict", ["run", "__self__", "system"]),
    ("default standard module tree any", "list", [0]),
    ("default standard module tree any", "list", [-2, "environ"]),
    ("default standard module tree any", "list", [1, 0]),
    ("default standard module tree any", "list", [1, -1, "__self__"]),
    ("default standard module tree any", "list", ["__class__"]),
    ("default standard module tree any", "list", ["__len__", "__self__"]),
    ("default standard module tree any", "list", ["__iter__", "__class__"]),
    ("default standard module tree any", "tuple", [1]),
    ("default standard module tree any", "tuple", ["__getitem__", "__self__"]),
    ("default standard module tree any", "str", ["format"]),
    ("default standard module tree any", "str", ["__class__", "format"]),
    ("default standard module tree", "mod", ["system"]),
    ("default standard module tree", "environ", ["PATH"]),
    ("default standard module tree", "frame", ["f_globals", "os"]),
    ("default standard module tree", "fn", [0]),
    ("default standard module tree any", "shape", ["__init__", "__globals__", "os"]),
    ("default standard", "shape", [3]),
    ("default", "record", ["fn"]),
    ("default", "record", ["os", "system"]),
    ("default", "detailed", ["a"]),
    ("default", "engine", ["name"]),
    ("tree any", "engine", ["secret"]),
    ("tree any", "turbo", ["name"]),
]

CHANGES = """
default standard module tree any: stored.mod.system stored.popen.x stored.kind.x stored.type.x
default standard module tree any: stored.fn.x stored.system.x stored.method.x stored.lambda.x
default standard module tree any: stored.dict.x stored.list.x stored.str.x stored.tuple.x stored.gen.x
default standard module tree any: stored.shape.__class__ stored.shape.__dict__ stored.shape._hidden
default standard module tree any: stored.shape.__call__ stored.shape.__len__ stored.shape.__module__
default standard module tree any: stored.shape.area.x stored.shape.size.real stored.shape.items.x
default standard module tree: stored.log.level stored.object.x stored.partial.x stored.environ.x
default standard: stored.shape.size stored.record.a stored.engine.speed stored.tool.x
tree any: stored.turbo.speed stored.engine.secret stored.engine.shell
any: stored.log.level
"""
