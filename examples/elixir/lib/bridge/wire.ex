defmodule Bridge.Wire do
  @moduledoc """
  Messages as JSON. The four bytes of length in front of each are the port's affair: `packet: 4`.

  To use another JSON library, change `encode/1` and `decode/1`.
  """

  alias Bridge.Error

  # What Process.send_after takes.
  @longest 4_294_967_295

  @doc "Makes a call with everything that will go over the wire; options: `:timeout`, `:session`, `:stream`."
  def call(operation, args, options) do
    args = Map.new(args)
    # Unique in this VM, so that all of this is done by the process that calls.
    id = System.unique_integer([:positive])
    session = options[:session] || "anonymous"
    request = %{id: id, command: operation, args: args, session_id: session, stream: options[:stream] || false}

    with {:ok, timeout, request} <- with_timeout(request, options[:timeout] || :infinity),
         {:ok, frame} <- encode(request) do
      key = {operation, names(args), names(args[:config] || args["config"])}
      {:ok, %{id: id, frame: frame, operation: operation, session: session, key: key, timeout: timeout}}
    end
  end

  defp with_timeout(request, :infinity), do: {:ok, :infinity, request}

  defp with_timeout(request, timeout) when timeout in 0..@longest do
    {:ok, timeout, Map.put(request, :timeout_ms, timeout)}
  end

  defp with_timeout(_request, timeout) do
    message = "timeout: expected milliseconds or :infinity, got #{inspect(timeout)}"
    {:error, Error.new("invalid_argument", "INVALID_ARGUMENTS", message)}
  end

  # What a configuring call sets: a later one with the same names takes its place.
  defp names(args) when is_map(args), do: args |> Map.keys() |> Enum.map(&to_string/1) |> Enum.sort()
  defp names(_), do: []

  @doc "Encodes a message. Maps, lists, text, numbers, booleans and nil have a form, tuples and other binaries have none."
  def encode(message) do
    {:ok, message |> :jiffy.encode([:use_nil]) |> IO.iodata_to_binary()}
  rescue
    error in ErlangError ->
      {:error, Error.new("invalid_argument", "INVALID_ARGUMENTS", "no JSON can say this: #{inspect(error.original)}")}
  end

  @doc "Decodes a message."
  def decode(frame) do
    # Copied, because a short text that is kept would keep the whole frame that it came in.
    case :jiffy.decode(frame, [:return_maps, :use_nil, :copy_strings]) do
      message when is_map(message) -> {:ok, message}
      _ -> :error
    end
  rescue
    ErlangError -> :error
  end
end
