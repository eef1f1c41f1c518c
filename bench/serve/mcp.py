"""A server of the Model Context Protocol over stdio, made with its Python SDK."""

from __future__ import annotations

import os
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context

__all__ = ["serve"]


def serve(_: str) -> None:
    """Serve until the end of the input."""
    server = MCPServer("bench", log_level="ERROR")

    @server.tool()
    def pid() -> int:
        return os.getpid()

    @server.tool()
    def echo(value: Any) -> dict[str, Any]:
        return {"value": value}

    @server.tool()
    async def stream(count: int, ctx: Context) -> int:
        for number in range(count):  # progress is the nearest that it has to chunks
            await ctx.report_progress(number, count)
        return count

    server.run("stdio")
