"""The module with a skeleton's operations: signatures that are known, bodies that are still to be moved."""

from __future__ import annotations

from collections.abc import Mapping

from ._parameters import Parameters
from ._reading import OldClass, OldHandler
from ._writing import docstring, function_name, printable, quoted, signature, text_of

__all__ = ["operations_module"]

_VERBS = ("create_program", "execute_program", "list_programs", "get_program", "delete_program")
_MISSING = (
    "# The old bridge had no such operation. Peers that drive any framework's programs expect all five verbs or none."
)


def operations_module(old: OldClass, names: Mapping[str, str]) -> tuple[str, dict[str, bool]]:
    """Return the source, and the operations in it with whether they stream.

    Args:
        old: The class.
        names: The operations' names by the old ones.
    """
    prefix = old.framework.upper()
    error = "".join(part.capitalize() for part in old.framework.split("_")) + "NotMovedError"
    handlers = {names[one.name]: one for one in old.handlers if one.name in names}
    operations = {name: one.streams for name, one in handlers.items()}
    missing = [verb for verb in _VERBS if verb not in operations] if operations.keys() & set(_VERBS) else []
    parts = [_head(old, error, prefix)]
    parts += [_operation(old, name, one, error) for name, one in handlers.items()]
    parts += [_verb(verb, error) for verb in missing]
    operations.update(dict.fromkeys(missing, False))
    if not operations:
        parts.append(_VERSION)
        operations["version"] = False
    return "\n\n".join(parts), operations


_VERSION = '''\
def version(*, distribution: str) -> dict[str, Any]:
    """Say which version of a distribution is installed: the old class had no operations, and a plugin has one."""
    return {"distribution": distribution, "version": installed_version(distribution)}
'''


def _head(old: OldClass, error: str, prefix: str) -> str:
    public = "BridgeError, CallContext" + ("" if old.handlers else ", installed_version")
    text = f'"""The operations of {old.framework}, as far as {old.name} in {old.file} shows them."""\n\n'
    text += "from __future__ import annotations\n\nfrom typing import Any\n\n"
    text += f"from bridge_core import {public}\n"
    if old.initialise:
        text += "\n" + quoted("What brought the framework in, which the worker now imports:", old.initialise, indent=0)
    text += f'\n\nclass {error}(BridgeError, code="unimplemented", reason="{prefix}_NOT_MOVED"):\n'
    return text + '    """The body of this operation is still in the old bridge."""\n'


def _operation(old: OldClass, name: str, one: OldHandler, error: str) -> str:
    start = f"{'async def' if one.is_async else 'def'} {function_name(name)}"
    doc = printable(one.doc).strip() or f"{one.name}, as the old bridge did it."
    message = f"{name}: its body is still in {old.file}"
    return (
        signature(start, _context(one.parameters), one.parameters.named, "Any")
        + docstring(doc)
        + quoted(f"{one.name} of {old.name}:", one.body)
        + f"    raise {error}({text_of(message)})\n"
    )


def _context(parameters: Parameters) -> str:
    taken = {one.name for one in parameters.named}
    name = "ctx" if "ctx" not in taken else "context"
    while name in taken:
        name += "_"
    return f"{name}: CallContext"


def _verb(name: str, error: str) -> str:
    parameters = "" if name == "list_programs" else ", *, program_id: str"
    if name == "create_program":
        parameters = ", *, signature: str, id: str | None = None"
    message = f"{name}: the old bridge had none"
    return (
        f"def {name}(ctx: CallContext{parameters}) -> Any:\n"
        + docstring(f"{name.replace('_', ' ').capitalize()}.")
        + f"    {_MISSING}\n"
        + f"    raise {error}({text_of(message)})\n"
    )
