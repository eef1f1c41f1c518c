defmodule Bridge.Server do
  @moduledoc "The process behind `Bridge`: owns the port, tells answers apart, and replaces a worker that has died."

  use GenServer

  alias Bridge.{Error, Wire}

  require Logger

  # What a worker gives to what it has accepted, and a little more.
  @grace 3_000
  @max_open 10_000

  # open: calls by id, until the worker has answered them. held: ids of those that have not been sent, latest first.
  # recorded: by session, what has to be done again on another worker; todo: what of that has yet to be done on this one;
  # replays: by id, what of that is being done.
  defstruct [:options, :port, :writer, :greeting, open: %{}, held: [], recorded: %{}, todo: %{}, replays: %{}]

  @doc "Milliseconds that a worker is given to end in order."
  def grace, do: @grace

  @impl true
  def init(options) do
    # A port that breaks while it is written to says so by an exit signal and by nothing else.
    Process.flag(:trap_exit, true)
    setup = for {operation, args} <- options[:setup] || [], do: step!(operation, args)
    {:ok, %__MODULE__{options: options, recorded: %{"anonymous" => setup}}, {:continue, :start}}
  end

  defp step!(operation, args) do
    case Wire.call(operation, args, []) do
      {:ok, call} -> call
      {:error, error} -> raise error
    end
  end

  @impl true
  def handle_continue(:start, state), do: {:noreply, start(state)}

  @impl true
  def handle_call({:run, call}, from, state), do: {:noreply, accept(state, Map.put(call, :to, {:caller, from}))}
  def handle_call(:os_pid, _from, state), do: {:reply, os_pid_of(state.port), state}

  @impl true
  def handle_cast({:stream, call, ref}, state), do: {:noreply, accept(state, Map.put(call, :to, {:stream, ref}))}

  @impl true
  def handle_info({port, {:data, frame}}, %{port: port} = state), do: {:noreply, arrived(state, frame)}
  def handle_info({port, {:exit_status, status}}, %{port: port} = state), do: {:noreply, crashed(state, status)}
  def handle_info({:EXIT, port, reason}, %{port: port} = state), do: {:noreply, crashed(state, reason)}
  def handle_info({:late, id}, state), do: {:noreply, late(state, id)}

  def handle_info({:start_timeout, port}, %{port: port, greeting: nil} = state) do
    error = Error.new("deadline_exceeded", "STARTUP_TIMEOUT", "the worker did not greet back in time", retryable: true)
    {:noreply, broken(state, error)}
  end

  # What concerns a worker that is no longer ours, and writers that have ended.
  def handle_info(_message, state), do: {:noreply, state}

  # What is shown when this crashes, or when somebody looks: not the arguments, which may hold secrets.
  def format_status(status) do
    for {key, value} <- status, into: %{}, do: {key, if(key in [:state, :message, :log], do: :hidden, else: value)}
  end

  @impl true
  def terminate(_reason, %{port: nil}), do: :ok

  def terminate(_reason, state) do
    # Port.close alone would close both pipes at once, and lose what the worker still answers.
    {:ok, frame} = Wire.encode(%{id: "shutdown", command: "shutdown"})
    send(state.writer, {:write, frame})
    Process.send_after(self(), :grace_over, @grace)
    state |> drain() |> let_go(Error.new("unavailable", "TRANSPORT_CLOSED", "the client was stopped before the answer"))
  end

  defp drain(%{port: nil} = state), do: state

  defp drain(%{port: port} = state) do
    receive do
      {^port, {:data, frame}} -> state |> arrived(frame) |> drain()
      {^port, {:exit_status, _}} -> state
      {:EXIT, ^port, _} -> state
      :grace_over -> state
    end
  end

  # --- one worker -----------------------------------------------------------------------------------------------------

  defp start(state) do
    port = Port.open({:spawn_executable, program(state.options)}, port_options(state.options))
    # Port.command suspends its caller while the worker does not read, and this process has deadlines to keep.
    writer = spawn_link(fn -> write_all(port) end)
    hello = %{protocol: [1, 1], peer: "elixir", want: if(state.options[:events], do: ["progress"], else: [])}
    {:ok, frame} = Wire.encode(%{id: "hello", command: "hello", args: hello})
    send(writer, {:write, frame})
    Process.send_after(self(), {:start_timeout, port}, state.options[:start_timeout] || 30_000)
    %{state | port: port, writer: writer, todo: state.recorded}
  rescue
    error in ErlangError ->
      message = "#{hd(state.options[:command])} cannot be run: #{inspect(error.original)}"
      broken(state, Error.new("invalid_argument", "INVALID_CONFIG", message))
  end

  defp program(options) do
    program = hd(options[:command])
    if options[:stderr], do: "/bin/sh", else: System.find_executable(program) || program
  end

  defp port_options(options) do
    # The shell becomes the worker. Never :stderr_to_stdout: stdout belongs to the wire.
    shell = ["-c", ~S(log=$1; shift; exec "$@" 2>>"$log"), "sh", options[:stderr] | options[:command]]

    arguments = if options[:stderr], do: shell, else: tl(options[:command])
    env = for {name, value} <- options[:env] || %{}, do: {to_charlist(name), value != nil and to_charlist(value)}
    [:binary, :exit_status, packet: 4, args: arguments, env: env]
  end

  defp write_all(port) do
    receive do
      {:write, frame} ->
        Port.command(port, frame)
        write_all(port)

      :stop ->
        :ok
    end
  rescue
    ArgumentError -> :closed
  end

  defp os_pid_of(port) do
    with port when port != nil <- port, {:os_pid, pid} <- Port.info(port, :os_pid), do: pid
  end

  defp crashed(state, why) do
    how = if is_integer(why), do: "exit status #{why}", else: inspect(why)
    options = [retryable: true, details: %{"exit_status" => if(is_integer(why), do: why)}]
    broken(state, Error.new("unavailable", "WORKER_CRASHED", "the worker ended (#{how}) before it answered", options))
  end

  defp broken(state, error) do
    Logger.warning("bridge: #{Exception.message(error)}")
    let_go(state, error)
  end

  # The worker ends itself and what it has started as soon as its input has ended.
  defp let_go(state, error) do
    if state.port, do: close(state)
    for {_, call} <- state.open, do: answer(call, {:error, error})
    %{state | port: nil, writer: nil, greeting: nil, open: %{}, held: [], todo: %{}, replays: %{}}
  end

  defp close(state) do
    send(state.writer, :stop)
    Port.close(state.port)
  rescue
    ArgumentError -> :closed
  end

  # --- calls ----------------------------------------------------------------------------------------------------------

  defp accept(state, call) when map_size(state.open) >= @max_open do
    message = "#{@max_open} calls have no answer yet"
    answer(call, {:error, Error.new("resource_exhausted", "TOO_MANY_IN_FLIGHT", message, retryable: true)})
    state
  end

  defp accept(state, call) do
    if call.timeout != :infinity, do: Process.send_after(self(), {:late, call.id}, call.timeout)
    advance(%{state | open: Map.put(state.open, call.id, call), held: [call.id | state.held]})
  end

  # Sends what is held. A call is, until its session is on this worker as it was on the last one.
  defp advance(%{held: []} = state), do: state
  defp advance(%{port: nil} = state), do: start(state)
  defp advance(%{greeting: nil} = state), do: state
  defp advance(state), do: Enum.reduce(Enum.reverse(state.held), %{state | held: []}, &send_or_hold/2)

  defp send_or_hold(id, state) do
    %{^id => call} = state.open

    case state.todo[call.session] || [] do
      [] -> write(state, call)
      [step | _] -> replay(%{state | held: [id | state.held]}, step)
    end
  end

  # One after another, because a step may need the one before.
  defp replay(state, step) when is_map_key(state.replays, step.id), do: state

  defp replay(state, step) do
    send(state.writer, {:write, step.frame})
    %{state | replays: Map.put(state.replays, step.id, step)}
  end

  defp write(state, call) do
    most = state.greeting["limits"]["max_frame_bytes"]

    if byte_size(call.frame) > most do
      # The worker would take it for lost framing, and end.
      answer(call, {:error, Error.new("resource_exhausted", "FRAME_TOO_LARGE", "the arguments exceed #{most} bytes")})
      %{state | open: Map.delete(state.open, call.id)}
    else
      send(state.writer, {:write, call.frame})
      state
    end
  end

  defp late(state, id) when is_map_key(state.open, id) do
    answer(state.open[id], {:error, Error.new("deadline_exceeded", "CALL_TIMEOUT", "there was no answer in time")})

    if id in state.held do
      %{state | open: Map.delete(state.open, id), held: List.delete(state.held, id)}
    else
      # The worker may still answer, and until then the id is in use.
      put_in(state.open[id].to, :nobody)
    end
  end

  defp late(state, _id), do: state

  defp answer(%{to: {:caller, from}}, answer), do: GenServer.reply(from, answer)
  defp answer(%{to: {:stream, ref}}, answer), do: send(ref, {ref, answer})
  defp answer(%{to: :nobody}, _answer), do: :dropped

  # --- what the worker says -------------------------------------------------------------------------------------------

  defp arrived(state, frame) do
    case Wire.decode(frame) do
      {:ok, message} -> heard(state, message)
      :error -> broken(state, Error.new("data_loss", "FRAMING_LOST", "what came from the worker is no message"))
    end
  end

  defp heard(state, %{"event" => name} = message) do
    if state.options[:events], do: send(state.options[:events], {:bridge_event, name, message["data"]})
    state
  end

  defp heard(state, %{"id" => id, "chunk" => chunk}) do
    with %{^id => %{to: {:stream, _}} = call} <- state.open, false <- chunk["is_final"] do
      answer(call, {:chunk, chunk["payload"]})
    end

    state
  end

  defp heard(state, %{"id" => "hello", "result" => %{"protocol" => 1} = greeting}) do
    advance(%{state | greeting: greeting})
  end

  defp heard(state, %{"id" => "hello", "result" => _}) do
    broken(state, Error.new("failed_precondition", "UNSUPPORTED_PROTOCOL", "the worker does not speak protocol 1"))
  end

  # The greeting was refused, or nobody knows which call this is about, and that call gets no other answer.
  defp heard(state, %{"id" => id, "success" => false} = message) when id in [nil, "hello"] do
    broken(state, Error.from_response(message))
  end

  defp heard(state, %{"id" => id} = message) when is_map_key(state.replays, id) do
    {step, replays} = Map.pop!(state.replays, id)
    replayed(%{state | replays: replays}, step, message)
  end

  defp heard(state, %{"id" => id} = message) when is_map_key(state.open, id) do
    {call, open} = Map.pop!(state.open, id)
    answer(call, outcome(message))
    state = %{state | open: open}
    if message["success"], do: remember(state, call), else: state
  end

  defp heard(state, %{"id" => "shutdown"}), do: state

  defp heard(state, message) do
    Logger.warning("bridge: the worker answered what nobody has asked: #{inspect(message["id"])}")
    state
  end

  defp outcome(%{"success" => true, "result" => result}), do: {:ok, result}
  defp outcome(message), do: {:error, Error.from_response(message)}

  # --- what is done again on another worker ---------------------------------------------------------------------------

  defp replayed(state, step, %{"success" => true}), do: state |> done(step) |> advance()

  # The session cannot be made what it was. That concerns all that is held for it, but not a call that sets the same anew.
  defp replayed(state, step, message) do
    {anew, others} =
      state.held
      |> Enum.filter(&(state.open[&1].session == step.session))
      |> Enum.split_with(&(state.open[&1].key == step.key))

    for id <- others, do: answer(state.open[id], outcome(message))
    state = %{state | held: state.held -- others, open: Map.drop(state.open, others)}
    if anew == [], do: state, else: state |> done(step) |> advance()
  end

  defp done(state, step), do: update_in(state.todo[step.session], &List.delete(&1, step))

  defp remember(state, %{operation: "close_session"} = call) do
    %{state | recorded: Map.delete(state.recorded, call.session)}
  end

  # The very frame will be sent again: its id is free as soon as it has been answered.
  defp remember(state, call) do
    if call.operation in ["configure" | state.greeting["configures"] || []] do
      others = Enum.reject(state.recorded[call.session] || [], &(&1.key == call.key))
      %{state | recorded: Map.put(state.recorded, call.session, others ++ [Map.delete(call, :to)])}
    else
      state
    end
  end
end
