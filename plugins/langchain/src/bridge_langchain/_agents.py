"""Agents: the session's language model with tools, asked until it answers."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import Annotated, Any

from msgspec import Meta

from bridge_core import CallContext, parse_arguments

from ._llm import LanguageModel, required_model
from ._messages import Message, sent, shown, shown_call, usage_of
from ._objects import AGENT, find, forget, listed
from ._tools import TOOLS, ToolName

AgentId = Annotated[str, Meta(min_length=1, description="the id given to, or made by, create_agent")]
Id = Annotated[str, Meta(min_length=1, description="chosen by you, or made here")]
Text = Annotated[str, Meta(min_length=1)]
Conversation = Annotated[list[Message], Meta(min_length=1, max_length=1000)]


class Agent:
    """Which tools, told what, how often; the graph is made for the model that the session has when it runs."""

    def __init__(self, tools: list[str], system_prompt: str | None, max_turns: int) -> None:
        self.tools = tools
        self.system_prompt = system_prompt
        self.max_turns = max_turns
        self._made: tuple[LanguageModel, Any] | None = None

    def describe(self) -> dict[str, Any]:
        """Return what a peer is told about the agent."""
        return {"tools": self.tools, "system_prompt": self.system_prompt, "max_turns": self.max_turns}

    def graph(self, model: LanguageModel) -> Any:
        """Return LangChain's agent for a model."""
        made = self._made
        if made is None or made[0] is not model:
            from langchain.agents import create_agent
            from langchain_core.tools import StructuredTool

            tools = [StructuredTool.from_function(TOOLS[name]) for name in self.tools]
            made = (model, create_agent(model.chat, tools, system_prompt=self.system_prompt))
            self._made = made
        return made[1]


def create_agent(
    ctx: CallContext,
    *,
    tools: Annotated[tuple[ToolName, ...], Meta(description="what the model may call")] = (),
    system_prompt: Annotated[str, Meta(min_length=1, max_length=100_000)] | None = None,
    max_turns: Annotated[int, Meta(ge=1, le=100, description="how often the model is asked at most")] = 10,
    id: Id | None = None,
) -> dict[str, Any]:
    """Make an agent that uses tools of the worker, and keep it in the session."""
    agent = Agent(list(dict.fromkeys(tools)), system_prompt, max_turns)
    agent_id = ctx.session.objects.put(agent, kind=AGENT, id=id)
    return {"agent_id": agent_id, "status": "created", **agent.describe()}


def run_agent(
    ctx: CallContext, *, agent_id: AgentId, input: Text | Conversation
) -> Generator[dict[str, Any], None, dict[str, Any]]:
    """Let an agent answer a text or a conversation; streamed, its words and what its tools do arrive first."""
    answer = yield from _run(ctx, find(ctx.session, "agent", agent_id), input)
    return {"agent_id": agent_id, **answer}


def call_agent(ctx: CallContext, agent: Agent, /, input: Any) -> Generator[dict[str, Any], None, dict[str, Any]]:
    """Let an agent answer that a dynamic call names: `stored.<id>`, with the input of `run_agent`."""
    given = parse_arguments(run_agent, {"agent_id": "called", "input": input})["input"]
    return (yield from _run(ctx, agent, given))


def _run(ctx: CallContext, agent: Agent, input: str | list[Message]) -> Generator[dict[str, Any], None, dict[str, Any]]:
    model = required_model(ctx.session)
    given = sent([Message(role="user", content=input)] if isinstance(input, str) else input, "$.input")
    messages = yield from _answered(ctx, agent, agent.graph(model), given)
    return {
        "output": str(messages[-1].text),
        "messages": [shown(message) for message in messages],
        **usage_of(model, messages[len(given) :]),
    }


def list_agents(ctx: CallContext) -> dict[str, Any]:
    """List the session's agents."""
    return listed(ctx.session, "agent", Agent.describe)


def get_agent(ctx: CallContext, *, agent_id: AgentId) -> dict[str, Any]:
    """Describe one agent: its tools and system prompt."""
    return {"agent_id": agent_id, **find(ctx.session, "agent", agent_id).describe()}


def delete_agent(ctx: CallContext, *, agent_id: AgentId) -> dict[str, Any]:
    """Forget an agent."""
    return forget(ctx.session, "agent", agent_id)


def _answered(
    ctx: CallContext, agent: Agent, graph: Any, given: list[Any]
) -> Generator[dict[str, Any], None, list[Any]]:
    """Yield what the agent says and does, if the peer wants it; return the conversation."""
    from ._attention import Attention

    attention = Attention(ctx)
    # A step for each turn of the model, and one for the tools after it: the limit is that one for the last turn.
    config = {"callbacks": [attention], "recursion_limit": 2 * agent.max_turns}
    messages = given
    if not ctx.streaming:
        return list(graph.invoke({"messages": given}, config)["messages"])
    stream = graph.stream({"messages": given}, config, stream_mode=["messages", "values"])
    with closing(attention.taken(stream)) as items:
        spoken = False
        for mode, item in items:
            if mode == "values":
                for message in item["messages"][len(messages) :]:
                    yield from _steps(message, spoken)
                messages, spoken = item["messages"], False
            elif item[0].type == "AIMessageChunk" and item[0].text:
                spoken = True
                yield {"text": str(item[0].text)}
    return messages


def _steps(message: Any, spoken: bool) -> Generator[dict[str, Any], None, None]:
    """Yield what a message adds to the words that have been yielded, or were not because they came in one piece."""
    if message.type == "tool":
        yield {"tool_result": {"id": message.tool_call_id, "name": message.name, "content": str(message.text)}}
    else:
        if message.text and not spoken:
            yield {"text": str(message.text)}
        yield from ({"tool_call": shown_call(call)} for call in message.tool_calls)
