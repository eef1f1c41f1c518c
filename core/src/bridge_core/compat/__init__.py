"""For those who bring a subclass-style bridge: it is served unchanged, until it is made a plugin.

`pybridge worker --bridge FILE.py:CLASS` serves a class of one of these shapes:

* `_register_handlers`, perhaps with `_initialize_framework` and `get_framework_info`: it calls
  `self.register_handler(name, function)`, fills `self._handlers`, or returns a dict;
* `_register_commands`, which calls `self.register_command(name, function)`;
* a framework plugin: `name`, `load`, and perhaps `configure`, `serialize_result` and `get_handlers`.

Its own base class stays as it is, as long as making an object does not start its loop. `BaseBridge` and
`BaseFrameworkPlugin` are for classes whose base is left behind.
"""

from ._bases import BaseBridge, BaseFrameworkPlugin
from ._plugin import as_plugin

__all__ = ["BaseBridge", "BaseFrameworkPlugin", "as_plugin"]
