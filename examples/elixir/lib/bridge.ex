defmodule Bridge do
  @moduledoc """
  A Python worker as a process of your supervision tree.

      children = [
        {Bridge,
         name: MyApp.DSPy,
         command: ~w(pybridge worker --framework dspy),
         setup: [{"dspy.configure_lm", %{model: "openai/gpt-4o-mini"}}]}
      ]

      {:ok, result} = Bridge.run(MyApp.DSPy, "dspy.execute_program", %{program_id: "qa", inputs: inputs}, timeout: 30_000)

  Any number of processes may call it at the same time; their calls overlap in the worker and are told apart by id. When
  the worker dies, its open calls get `WORKER_CRASHED`, and the next call starts another one and has it configured as this
  one was: by `:setup`, and by whatever has configured each session since. Programs and other objects that were not made
  by `:setup` are gone with the worker.

  Options:

    * `:command` (required): the worker's program and its arguments.
    * `:name`: as for any GenServer.
    * `:setup`: operations, `{name, args}`, to run on every new worker before anything else in the session "anonymous".
    * `:env`: variables for the worker, a map; `nil` removes one.
    * `:start_timeout`: milliseconds in which the worker must greet back, 30,000 by default.
    * `:stderr`: a file to which the worker's log and all that its framework prints is appended. Without it they go where
      the stderr of this VM goes: a port cannot read them.
    * `:events`: a process that is sent `{:bridge_event, name, data}`: `"progress"`, while a framework is imported.
  """

  alias Bridge.{Error, Server, Wire}

  @type bridge :: GenServer.server()
  @type args :: map | keyword

  def start_link(options) do
    Keyword.fetch!(options, :command)
    GenServer.start_link(Server, options, Keyword.take(options, [:name]))
  end

  @doc false
  def child_spec(options) do
    %{id: options[:name] || __MODULE__, start: {__MODULE__, :start_link, [options]}, shutdown: Server.grace() + 1_000}
  end

  @doc """
  Runs an operation. Options: `:timeout` in milliseconds, for everything that the call needs, a new worker included;
  `:session`.
  """
  @spec run(bridge, String.t(), args, keyword) :: {:ok, term} | {:error, Error.t()}
  def run(bridge, operation, args \\ %{}, options \\ []) do
    # :infinity, because the server keeps to the call's own timeout.
    with {:ok, call} <- Wire.call(operation, args, options), do: GenServer.call(bridge, {:run, call}, :infinity)
  end

  @doc "The same, and raises what went wrong."
  @spec run!(bridge, String.t(), args, keyword) :: term
  def run!(bridge, operation, args \\ %{}, options \\ []) do
    case run(bridge, operation, args, options) do
      {:ok, result} -> result
      {:error, error} -> raise error
    end
  end

  @doc "Configures a framework for a session, and again on every worker that comes later."
  @spec configure(bridge, String.t(), args, keyword) :: {:ok, term} | {:error, Error.t()}
  def configure(bridge, framework, config, options \\ []) do
    run(bridge, "configure", %{framework: framework, config: Map.new(config)}, options)
  end

  @doc """
  Streams an operation: `{:chunk, payload}` for each chunk, then `{:result, result}`; raises `Bridge.Error`.

  Chunks gather in the mailbox of the process that enumerates. It may leave at any time; the worker goes on by itself.
  """
  @spec stream(bridge, String.t(), args, keyword) :: Enumerable.t()
  def stream(bridge, operation, args \\ %{}, options \\ []) do
    Stream.resource(fn -> open_stream(bridge, operation, args, options) end, &next/1, &leave/1)
  end

  @doc "The operating system's id of what was started, the guardian above the worker; nil while there is none."
  @spec os_pid(bridge) :: pos_integer | nil
  def os_pid(bridge), do: GenServer.call(bridge, :os_pid)

  defp open_stream(bridge, operation, args, options) do
    case Wire.call(operation, args, [stream: true] ++ options) do
      {:ok, call} ->
        # A monitor that is an address too: once it is given up, whatever still comes is dropped.
        server = GenServer.whereis(bridge) || exit({:noproc, {__MODULE__, :stream, [bridge, operation]}})
        ref = :erlang.monitor(:process, server, alias: :explicit_unalias)
        GenServer.cast(bridge, {:stream, call, ref})
        ref

      {:error, error} ->
        raise error
    end
  end

  defp next({:ended, ref}), do: {:halt, ref}

  defp next(ref) do
    receive do
      {^ref, {:chunk, payload}} -> {[{:chunk, payload}], ref}
      {^ref, {:ok, result}} -> {[{:result, result}], {:ended, ref}}
      {^ref, {:error, error}} -> raise error
      {:DOWN, ^ref, _, _, reason} -> exit(reason)
    end
  end

  defp leave({:ended, ref}), do: leave(ref)

  defp leave(ref) do
    :erlang.unalias(ref)
    Process.demonitor(ref, [:flush])
    forget(ref)
  end

  defp forget(ref) do
    receive do
      {^ref, _} -> forget(ref)
    after
      0 -> :ok
    end
  end
end
