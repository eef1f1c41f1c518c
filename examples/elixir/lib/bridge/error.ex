defmodule Bridge.Error do
  @moduledoc """
  What went wrong: `code` is one of a closed set, `reason` says exactly what, `retryable` whether the same call may succeed
  later. docs/reference/errors.md lists them.
  """

  defexception [:code, :reason, :message, retryable: false, details: %{}]

  @type t :: %__MODULE__{code: String.t(), reason: String.t(), message: String.t(), retryable: boolean, details: map}

  @impl true
  def message(error), do: "#{error.reason}: #{error.message}"

  @doc "Makes one of this side's own; options: `:retryable`, `:details`."
  def new(code, reason, message, options \\ []) do
    struct!(__MODULE__, [code: code, reason: reason, message: message] ++ options)
  end

  @doc "Makes one from an error response."
  def from_response(%{"error" => message, "error_info" => info}) do
    new(info["code"], info["reason"], message, retryable: info["retryable"], details: info["details"])
  end
end
