/** What went wrong: `reason` says exactly what, `code` is one of a closed set; docs/reference/errors.md lists both. */
export class BridgeError extends Error {
  name = "BridgeError";

  constructor(code, reason, message, { retryable = false, details = {}, cause } = {}) {
    super(message, { cause });
    Object.assign(this, { code, reason, retryable, details });
  }

  static fromResponse({ error, error_info: { code, reason, retryable, details } }) {
    return new BridgeError(code, reason, error, { retryable, details });
  }
}

// Reasons that this side finds out by itself: the code, and whether the same call may succeed later.
const OURS = {
  CALL_CANCELLED: ["cancelled", false],
  CALL_TIMEOUT: ["deadline_exceeded", false],
  FRAME_TOO_LARGE: ["resource_exhausted", false],
  FRAMING_LOST: ["data_loss", false],
  INVALID_ARGUMENTS: ["invalid_argument", false],
  INVALID_CONFIG: ["invalid_argument", false],
  STARTUP_TIMEOUT: ["deadline_exceeded", true],
  TOO_MANY_IN_FLIGHT: ["resource_exhausted", true],
  TRANSPORT_CLOSED: ["unavailable", false],
  UNSUPPORTED_PROTOCOL: ["failed_precondition", false],
  WORKER_CRASHED: ["unavailable", true],
};

/** Makes an error of this side's own. */
export function failure(reason, message, { details, cause } = {}) {
  const [code, retryable] = OURS[reason];
  return new BridgeError(code, reason, message, { retryable, details, cause });
}
