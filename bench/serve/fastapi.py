"""FastAPI under uvicorn: a request with a schema, a raw one for arrays, a stream of JSON lines."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from bench.serve.functions import chunks

__all__ = ["serve"]

app = FastAPI()


class Call(BaseModel):
    method: str
    args: Any


@app.post("/call")
async def call(call: Call) -> dict[str, Any]:
    return {"success": True, "result": call.args}


@app.post("/array")
async def array(request: Request) -> Response:
    return Response(await request.body(), media_type="application/octet-stream")


@app.get("/stream/{count}")
async def stream(count: int) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        for chunk in chunks(count):
            yield json.dumps(chunk) + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


def serve(port: str) -> None:
    """Serve on a port of this machine, for ever."""
    uvicorn.run(app, port=int(port), log_level="error", access_log=False)
