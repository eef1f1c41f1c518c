"""The hooks: what the host calls, each handed on to the module that knows."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from bridge_core import (
    Encode,
    FrameworkInfo,
    JsonValue,
    Register,
    Session,
    hookimpl,
    installed_version,
    parse_arguments,
)
from bridge_core.secrets import Secrets

from . import _agents, _chains, _llm, _messages, _programs
from ._errors import Translating

BRIDGE_HOOK_API = 1


@hookimpl
def bridge_framework_info() -> FrameworkInfo:
    """Describe LangChain as it is installed here."""
    return FrameworkInfo(
        name="langchain",
        distribution="langchain",
        version=installed_version("langchain"),
        imports=("langchain.chat_models",),
        capabilities=("programs", "chains", "agents", "streaming", "usage", "embedded_model"),
        stand_ins={
            "bridge_langchain._chains.Chain.__call__": "bridge_langchain._chains:call_chain",
            "bridge_langchain._agents.Agent.__call__": "bridge_langchain._agents:call_agent",
        },
        required_packages=("langchain>=1.0", "langchain-core>=1.0", "langgraph>=1.0"),
        test_layers=("protocol", "real"),
    )


@hookimpl
def bridge_register_handlers(register: Register) -> None:
    """Register the operations of framework `langchain`."""
    register("configure_llm", _llm.configure_llm, idempotent=True, configures=True)
    register("create_chain", _chains.create_chain)
    register("run_chain", _chains.run_chain, streaming=True, runs="thread")
    register("list_chains", _chains.list_chains, idempotent=True)
    register("get_chain", _chains.get_chain, idempotent=True)
    register("delete_chain", _chains.delete_chain)
    register("create_agent", _agents.create_agent)
    register("run_agent", _agents.run_agent, streaming=True, runs="thread")
    register("list_agents", _agents.list_agents, idempotent=True)
    register("get_agent", _agents.get_agent, idempotent=True)
    register("delete_agent", _agents.delete_agent)
    register("create_program", _programs.create_program)
    register("execute_program", _programs.execute_program, streaming=True, runs="thread")
    register("list_programs", _programs.list_programs, idempotent=True)
    register("get_program", _programs.get_program, idempotent=True)
    register("delete_program", _programs.delete_program)


@hookimpl
def bridge_configure(config: Mapping[str, Any], session: Session) -> Mapping[str, Any]:
    """Give the session a language model; `config` has the arguments of `configure_llm`."""
    return _llm.use_model(session, **parse_arguments(_llm.configure_llm, config))


@hookimpl
def bridge_call_context(session: Session) -> AbstractContextManager[None]:
    """Raise what LangChain raises in a call as errors of ours, without the session's secrets."""
    model = _llm.model_of(session)
    return Translating(model.secrets if model else Secrets())


@hookimpl
def bridge_serialize_result(value: object, encode: Encode) -> JsonValue:
    """Describe a message or document as a tagged object of its fields."""
    return _messages.describe(value, encode)
