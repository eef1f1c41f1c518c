"""A plugin whose import never ends; it says so through the fifo in PROBE_FIFO."""

from __future__ import annotations

import os
import threading
from pathlib import Path

Path(os.environ["PROBE_FIFO"]).write_text(str(os.getpid()))
threading.Event().wait()
