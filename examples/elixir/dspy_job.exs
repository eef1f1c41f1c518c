# The DSPy job: `mix run dspy_job.exs [MODEL]`. It needs the command `pybridge` with bridge-dspy; MODEL is DSPy's name of a
# model, such as openai/gpt-4o-mini. The default one, embedded, needs no key and only echoes.

defmodule SilentModel do
  @moduledoc "A model that never answers: a call that waits for it is surely in flight."

  def start do
    {:ok, listener} = :gen_tcp.listen(0, ip: {127, 0, 0, 1}, active: false)
    {:ok, port} = :inet.port(listener)
    {listener, %{model: "openai/silent", api_base: "http://127.0.0.1:#{port}/v1", api_key: "none"}}
  end

  def await_calls(listener, count), do: for(_ <- 1..count, do: {:ok, _} = :gen_tcp.accept(listener))
end

defmodule Job do
  @execute "dspy.execute_program"

  def run(model) do
    {:ok, supervisor} = Supervisor.start_link([{Bridge, options()}], strategy: :one_for_one)

    %{"worker_id" => worker, "framework" => framework, "protocol" => [_, protocol]} =
      Bridge.run!(Job.DSPy, "get_capabilities")

    say("worker", "#{worker} serves #{framework} by protocol #{protocol}")

    {:ok, configured} = Bridge.configure(Job.DSPy, "dspy", model: model)
    progress()
    say("configured", configured["config"]["model"])
    say("created", create()["program_id"])
    say("answer", ask("Why do bridges have arches?"))

    questions = for number <- 1..8, do: "What is #{number}?"
    answers = questions |> Task.async_stream(&ask/1, max_concurrency: 8, timeout: :infinity) |> Enum.map(&elem(&1, 1))
    for {question, answer} <- Enum.zip(questions, answers), do: say("at once", "#{question} #{answer}")

    stream()
    errors()
    late()
    death()
    Supervisor.stop(supervisor)
    say("stopped", "the worker has ended in order")
  end

  defp options do
    [name: Job.DSPy, command: ~w(pybridge worker --framework dspy), events: self()]
  end

  defp create(session \\ "anonymous") do
    Bridge.run!(Job.DSPy, "dspy.create_program", %{id: "qa", signature: "question -> answer"}, session: session)
  end

  defp ask(question), do: Bridge.run!(Job.DSPy, @execute, inputs(question), timeout: 60_000)["outputs"]["answer"]

  defp inputs(question), do: %{program_id: "qa", inputs: %{question: question}}

  # What was told meanwhile to the process that is named by `events:`.
  defp progress do
    receive do
      {:bridge_event, name, %{"message" => message}} ->
        say(name, message)
        progress()
    after
      0 -> :ok
    end
  end

  defp stream do
    for part <- Bridge.stream(Job.DSPy, @execute, inputs("Why?")) do
      case part do
        {:chunk, %{"text" => text}} -> say("chunk", text)
        {:result, %{"outputs" => outputs}} -> say("result", outputs["answer"])
      end
    end

    [{:chunk, first}] = Job.DSPy |> Bridge.stream(@execute, inputs("Why?")) |> Enum.take(1)
    say("left early", first["text"])
  end

  defp errors do
    {:error, error} = Bridge.run(Job.DSPy, @execute, %{program_id: "nobody", inputs: %{}})
    say("error", "#{error.code} #{error.reason}")
    {:error, error} = Bridge.run(Job.DSPy, "dspy.create_program", %{id: "x", signature: "a -> b", colour: "red"})
    say("error", "#{error.code} #{error.reason} #{error.details["path"]}")
  end

  # A session whose calls wait for ever.
  defp silent(session) do
    {listener, model} = SilentModel.start()
    {:ok, _} = Bridge.configure(Job.DSPy, "dspy", model, session: session)
    create(session)
    listener
  end

  defp late do
    silent("late")
    {:error, error} = Bridge.run(Job.DSPy, @execute, inputs("Why?"), session: "late", timeout: 200)
    say("late", "#{error.code} #{error.reason}")
  end

  defp death do
    listener = silent("death")
    tasks = for _ <- 1..3, do: Task.async(fn -> Bridge.run(Job.DSPy, @execute, inputs("Why?"), session: "death") end)
    SilentModel.await_calls(listener, 3)
    System.cmd("kill", ["-KILL", "#{Bridge.os_pid(Job.DSPy)}"])

    for {:error, error} <- Task.await_many(tasks, :infinity) do
      say("killed", "#{error.code} #{error.reason}, exit status #{error.details["exit_status"]}")
    end

    {:error, error} = Bridge.run(Job.DSPy, @execute, inputs("And now?"))
    say("fresh worker", "configured again, but the program is gone: #{error.reason}")
    create()
    say("answer", ask("And now?"))
  end

  defp say(what, text), do: IO.puts(String.pad_trailing(what, 14) <> text)
end

Job.run(List.first(System.argv()) || "embedded")
