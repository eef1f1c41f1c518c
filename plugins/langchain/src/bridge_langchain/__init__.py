"""LangChain behind the bridge: chat models, chains and agents as operations of framework `langchain`."""
