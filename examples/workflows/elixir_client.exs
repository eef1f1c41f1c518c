# Run both pipelines through the Elixir client, in the folder examples/elixir: `mix run ../workflows/elixir_client.exs`.
# `pybridge` must be that of an environment with bridge-dspy, pandas and scikit-learn.

File.cd!(__DIR__)

{:ok, bridge} = Bridge.start_link(command: ~w(pybridge worker --config bridge.toml --framework dspy))

pipeline = fn file ->
  {:ok, args} = file |> File.read!() |> Bridge.Wire.decode()
  %{"pipeline_results" => answers} = Bridge.run!(bridge, "pipeline", args, timeout: 120_000)
  Enum.map(answers, & &1["result"])
end

[score, predictions | _] = Enum.reverse(pipeline.("data_science.json"))
IO.puts("predicted " <> Enum.map_join(predictions, " ", &:erlang.float_to_binary(&1, decimals: 2)))
IO.puts("score " <> :erlang.float_to_binary(score, decimals: 2))
IO.puts("answer " <> List.last(pipeline.("dspy.json")))

GenServer.stop(bridge)
