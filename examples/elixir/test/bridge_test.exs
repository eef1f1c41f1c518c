defmodule BridgeTest do
  use ExUnit.Case, async: true

  import Bitwise

  alias Bridge.{Error, Wire}

  @scripted Path.expand("../../testing/scripted_worker.py", __DIR__)

  # Starts a client; its worker plays the steps after it has greeted.
  defp scripted(steps, options \\ []), do: client([["greet", %{}] | steps], options)

  # The same, when it has greeted.
  defp greeted(steps) do
    bridge = scripted([["say", %{"event" => "progress", "data" => %{}}] | steps], events: self())
    assert_receive {:bridge_event, "progress", %{}}, 30_000
    bridge
  end

  # The same for several workers, one after the other.
  defp lives(scripts, options \\ []) do
    scripts = for steps <- scripts, do: [["greet", %{}] | steps]
    client([["lives", temporary(), scripts]], options)
  end

  defp client(steps, options \\ []) do
    {:ok, script} = Wire.encode(steps)
    start_supervised!({Bridge, [command: ["python3", @scripted, script]] ++ options})
  end

  defp temporary do
    path = Path.join(System.tmp_dir!(), "bridge-#{System.pid()}-#{System.unique_integer([:positive])}")
    on_exit(fn -> File.rm(path) end)
    path
  end

  # Requests are counted from 1: the greeting is number 0.
  defp result(number, value), do: %{"id" => "id #{number}", "success" => true, "result" => value, "timestamp" => 0.0}

  defp failure(id, reason, code \\ "internal") do
    info = %{"code" => code, "reason" => reason, "details" => %{"why" => "x"}, "retryable" => true}
    %{"id" => id, "success" => false, "error" => "no", "error_info" => info, "timestamp" => 0.0}
  end

  defp chunk(number, n, payload, final \\ false) do
    %{"id" => "id #{number}", "chunk" => %{"chunk_id" => n, "payload" => payload, "is_final" => final}}
  end

  defp reason({:error, %Error{reason: reason}}), do: reason

  test "an answer that comes byte by byte is one answer" do
    bridge = scripted([["read", 1], ["say", result(1, "args 1"), 1]])
    assert Bridge.run(bridge, "x", value: "ü€😀") == {:ok, %{"value" => "ü€😀"}}
  end

  test "answers that come at once and in another order reach those who asked" do
    answers = for number <- 8..1//-1, do: result(number, "args #{number}")
    bridge = scripted([["read", 8], ["together", answers]])
    asked = for number <- 1..8, do: %{"number" => number}
    answered = asked |> Task.async_stream(&Bridge.run!(bridge, "x", &1), max_concurrency: 8) |> Enum.to_list()
    assert answered == Enum.map(asked, &{:ok, &1})
  end

  for size <- [1 <<< 16, (1 <<< 20) + 1, 5 <<< 20] do
    test "arguments and a result of #{size} characters arrive" do
      text = String.duplicate("ä", unquote(size))
      bridge = scripted([["read", 1], ["say", result(1, "args 1")]])
      assert Bridge.run!(bridge, "x", text: text) == %{"text" => text}
    end
  end

  test "numbers keep all their digits" do
    numbers = [9_007_199_254_740_993, 18_446_744_073_709_551_615, -1, 0.1, 1.0e300]
    bridge = scripted([["read", 1], ["say", result(1, "args 1")]])
    assert Bridge.run!(bridge, "x", numbers: numbers) == %{"numbers" => numbers}
  end

  test "an answer to what nobody has asked is passed over" do
    bridge = scripted([["read", 1], ["say", Map.put(result(1, 0), "id", 12)], ["say", result(1, 1)]])
    assert Bridge.run(bridge, "x") == {:ok, 1}
  end

  test "an id of another type is another id" do
    bridge = scripted([["read", 1], ["say", Map.put(result(1, 0), "id", "text 1")], ["say", result(1, 1)]])
    assert Bridge.run(bridge, "x") == {:ok, 1}
  end

  test "an error response is a typed error" do
    bridge = scripted([["read", 1], ["say", failure("id 1", "SOME_REASON", "not_found")]])
    assert {:error, error} = Bridge.run(bridge, "x")
    fields = [code: "not_found", reason: "SOME_REASON", message: "no", details: %{"why" => "x"}, retryable: true]
    assert error == struct!(Error, fields)
    assert_raise Error, fn -> raise error end
  end

  test "a call that no JSON can say is refused before it is sent" do
    bridge = scripted([["read", 1], ["say", result(1, 1)]])

    for args <- [%{pid: self()}, %{text: <<255>>}, %{tuple: {1, 2}}] do
      assert reason(Bridge.run(bridge, "x", args)) == "INVALID_ARGUMENTS"
    end

    for timeout <- [-1, 0.5, 1 <<< 40] do
      assert reason(Bridge.run(bridge, "x", %{}, timeout: timeout)) == "INVALID_ARGUMENTS"
    end

    assert Bridge.run(bridge, "x") == {:ok, 1}
  end

  test "a call that is longer than a frame is refused before it is sent" do
    greet = ["greet", %{"limits" => %{"max_frame_bytes" => 1_000}}]
    bridge = client([greet, ["read", 1], ["say", result(1, 1)]])
    assert reason(Bridge.run(bridge, "x", text: String.duplicate("x", 1_000))) == "FRAME_TOO_LARGE"
    assert Bridge.run(bridge, "x") == {:ok, 1}
  end

  test "a late answer is dropped and the next one belongs to its call" do
    bridge = greeted([["read", 2], ["say", result(1, "late")], ["say", result(2, "right")]])
    assert reason(Bridge.run(bridge, "x", %{}, timeout: 1)) == "CALL_TIMEOUT"
    assert Bridge.run(bridge, "x") == {:ok, "right"}
  end

  test "a deadline holds also while the worker does not read" do
    bridge = greeted([["hang"]])
    large = String.duplicate("x", 1 <<< 20)
    # The first fills the pipe, the second waits for room.
    for _ <- 1..2, do: assert(reason(Bridge.run(bridge, "x", [text: large], timeout: 10)) == "CALL_TIMEOUT")
    System.cmd("kill", ["-KILL", "#{Bridge.os_pid(bridge)}"])
  end

  test "a worker that dies while it is written to fails its call" do
    bridge = greeted([["hang"]])
    call = Task.async(fn -> Bridge.run(bridge, "x", text: String.duplicate("x", 1 <<< 20)) end)
    System.cmd("kill", ["-KILL", "#{Bridge.os_pid(bridge)}"])
    assert reason(Task.await(call)) == "WORKER_CRASHED"
  end

  test "a stream is its chunks, then its result" do
    messages = [chunk(1, 0, "a"), chunk(1, 1, "b"), chunk(1, 2, nil, true), result(1, "ab")]
    bridge = scripted([["read", 1], ["together", messages]])
    assert Enum.to_list(Bridge.stream(bridge, "x")) == [chunk: "a", chunk: "b", result: "ab"]
  end

  test "an error of a stream comes after its chunks" do
    bridge = scripted([["read", 1], ["together", [chunk(1, 0, "a"), failure("id 1", "BROKE")]]])
    me = self()
    error = assert_raise Error, fn -> bridge |> Bridge.stream("x") |> Enum.each(&send(me, &1)) end
    assert error.reason == "BROKE"
    assert_received {:chunk, "a"}
  end

  test "a stream that is left early leaves nothing in the mailbox and disturbs nobody" do
    rest = [chunk(1, 1, "b"), chunk(1, 2, nil, true), result(1, "ab"), result(2, "other")]
    bridge = scripted([["read", 1], ["say", chunk(1, 0, "a")], ["read", 1], ["together", rest]])
    assert bridge |> Bridge.stream("x") |> Enum.take(1) == [chunk: "a"]
    assert Bridge.run(bridge, "x") == {:ok, "other"}
    assert Process.info(self(), :messages) == {:messages, []}
  end

  test "a stream of a client that is not there exits as a call does" do
    assert {:noproc, _} = catch_exit(Enum.to_list(Bridge.stream(NoSuchName, "x")))
  end

  test "a worker that dies fails all its open calls and streams; the next call gets another one" do
    bridge = lives([[["read", 2], ["exit", 9]], [["read", 1], ["say", result(1, "alive")]]])
    call = Task.async(fn -> Bridge.run(bridge, "x") end)
    error = assert_raise Error, fn -> Enum.to_list(Bridge.stream(bridge, "x")) end
    assert %Error{code: "unavailable", reason: "WORKER_CRASHED", retryable: true} = error
    assert error.details == %{"exit_status" => 9}
    assert Task.await(call) == {:error, error}
    assert Bridge.run(bridge, "x") == {:ok, "alive"}
  end

  test "a worker that dies inside a frame fails its call" do
    bridge = scripted([["read", 1], ["raw", "000000087b22"], ["exit", 0]])
    assert reason(Bridge.run(bridge, "x")) == "WORKER_CRASHED"
  end

  test "a frame that is no message ends the worker" do
    bridge = scripted([["read", 1], ["raw", "000000027b7b"]])
    assert reason(Bridge.run(bridge, "x")) == "FRAMING_LOST"
  end

  test "an error that is about no call ends the worker, for it may be about any" do
    bridge = scripted([["read", 1], ["say", failure(nil, "MALFORMED_MESSAGE")]])
    assert reason(Bridge.run(bridge, "x")) == "MALFORMED_MESSAGE"
  end

  test "a worker that says why it does not serve is believed" do
    # Not before it has heard something, so that the call is there to be told.
    bridge = client([["read", 1], ["say", failure(nil, "FRAMEWORK_NOT_FOUND")], ["exit", 1]])
    assert reason(Bridge.run(bridge, "x")) == "FRAMEWORK_NOT_FOUND"
  end

  test "a worker that exits at the start fails the calls that wait for it" do
    bridge = client([["exit", 1]])
    assert reason(Bridge.run(bridge, "x")) == "WORKER_CRASHED"
  end

  test "a program that is not there is an invalid configuration" do
    bridge = start_supervised!({Bridge, command: ["/no/such/program"]})
    assert reason(Bridge.run(bridge, "x")) == "INVALID_CONFIG"
  end

  test "a worker that does not greet back in time is given up" do
    bridge = client([["read", 1]], start_timeout: 10)
    assert reason(Bridge.run(bridge, "x")) == "STARTUP_TIMEOUT"
  end

  test "a worker of another protocol is refused, and one that refuses is believed" do
    bridge = client([["greet", %{"protocol" => 2}]])
    assert reason(Bridge.run(bridge, "x")) == "UNSUPPORTED_PROTOCOL"
    stop_supervised!(Bridge)
    bridge = client([["read", 1], ["say", failure("id 0", "UNSUPPORTED_PROTOCOL")]])
    assert reason(Bridge.run(bridge, "x")) == "UNSUPPORTED_PROTOCOL"
  end

  test "setup is done on every worker, one step after the other, before any call" do
    answers = [["read", 1], ["say", result(1, nil)], ["read", 1], ["say", result(2, nil)], ["read", 1]]
    tell = ["say", result(3, ["request 1", "request 2"])]
    bridge = lives([answers ++ [["exit", 1]], answers ++ [tell]], setup: [{"a", %{one: 1}}, {"b", %{two: 2}}])
    assert reason(Bridge.run(bridge, "x")) == "WORKER_CRASHED"
    assert [first, second] = Bridge.run!(bridge, "x")
    assert %{"command" => "a", "args" => %{"one" => 1}, "session_id" => "anonymous"} = first
    assert %{"command" => "b", "args" => %{"two" => 2}} = second
  end

  test "what has configured a session is done again there, the last of its kind only" do
    configured = for number <- 1..3, step <- [["read", 1], ["say", result(number, nil)]], do: step
    first = configured ++ [["read", 1], ["exit", 1]]
    second = [["read", 1], ["say", result(1, nil)], ["read", 1], ["say", result(2, "request 1")], ["read", 1]]
    bridge = lives([first, second ++ [["say", result(3, "request 3")]]])
    {:ok, _} = Bridge.configure(bridge, "f", [a: 1], session: "s")
    {:ok, _} = Bridge.configure(bridge, "f", [a: 2], session: "s")
    {:ok, _} = Bridge.run(bridge, "not.configuring", %{}, session: "s")
    assert reason(Bridge.run(bridge, "x", %{}, session: "s")) == "WORKER_CRASHED"
    assert %{"command" => "configure", "session_id" => "s"} = request = Bridge.run!(bridge, "x", %{}, session: "s")
    assert request["args"] == %{"framework" => "f", "config" => %{"a" => 2}}
    assert %{"command" => "y", "session_id" => "other"} = Bridge.run!(bridge, "y", %{}, session: "other")
  end

  test "a configuration that fails on the new worker fails its session's calls, but not one that sets it anew" do
    first = [["read", 1], ["say", result(1, nil)], ["read", 1], ["exit", 1]]
    refused = failure("id 1", "INVALID_CONFIG")
    again = [["read", 1], ["say", Map.put(refused, "id", "id 2")], ["read", 1], ["say", result(3, "anew")]]
    rest = [["read", 1], ["say", result(4, "served")]]
    bridge = lives([first, [["read", 1], ["say", refused]] ++ again ++ rest])
    {:ok, _} = Bridge.configure(bridge, "f", a: 1)
    assert reason(Bridge.run(bridge, "x")) == "WORKER_CRASHED"
    assert reason(Bridge.run(bridge, "x")) == "INVALID_CONFIG"
    assert Bridge.configure(bridge, "f", a: 2) == {:ok, "anew"}
    assert Bridge.run(bridge, "x") == {:ok, "served"}
  end

  test "a client that is stopped answers who waits, and its worker has ended by then" do
    bridge = greeted([["read", 2], ["exit", 0]])
    os_pid = Bridge.os_pid(bridge)
    call = Task.async(fn -> Bridge.run(bridge, "x") end)
    await_open(bridge)
    :ok = stop_supervised(Bridge)
    assert reason(Task.await(call)) == "TRANSPORT_CLOSED"
    assert {_, 1} = System.cmd("kill", ["-0", "#{os_pid}"], stderr_to_stdout: true)
  end

  defp await_open(bridge) do
    if map_size(:sys.get_state(bridge).open) == 0, do: await_open(bridge)
  end

  test "a client's state is not shown to whoever looks, because it may hold secrets" do
    bridge = scripted([], setup: [{"configure", %{api_key: "sk-secret"}}])
    refute inspect(:sys.get_status(bridge), limit: :infinity) =~ "sk-secret"
  end

  test "a worker's stderr goes to a file if asked" do
    path = temporary()
    bridge = scripted([["log", "warning: ü\n"], ["read", 1], ["say", result(1, 1)]], stderr: path)
    assert Bridge.run(bridge, "x") == {:ok, 1}
    assert File.read!(path) == "warning: ü\n"
  end

  test "a worker's environment is what is asked for" do
    path = temporary()
    command = ["sh", "-c", ~s(printf '%s' "${BRIDGE_A-unset} ${HOME-unset}" >"$0"), path]
    bridge = start_supervised!({Bridge, command: command, env: %{"BRIDGE_A" => "ü", "HOME" => nil}})
    assert reason(Bridge.run(bridge, "x")) == "WORKER_CRASHED"
    assert File.read!(path) == "ü unset"
  end
end
