defmodule BridgeExample.MixProject do
  use Mix.Project

  def project do
    # The client is the files in lib/, to be copied. jiffy is Debian's erlang-jiffy: nothing comes from the network.
    [app: :bridge_example, version: "0.1.0", elixir: "~> 1.14", deps: []]
  end

  def application, do: [extra_applications: [:logger, :jiffy]]
end
