/** A client for Python workers. docs/reference/protocol.md says what goes over the wire. */

import { Call, Request, Stream } from "./call.js";
import { failure } from "./errors.js";
import { Link } from "./link.js";

export { BridgeError } from "./errors.js";

const MAX_IN_FLIGHT = 10_000;

/**
 * A worker that is started when it is first needed and replaced when it has died: then its open calls fail with
 * WORKER_CRASHED, and the next call finds another one, configured as that one was. Programs and other objects that
 * `setup` does not make are gone with the worker.
 */
export class Bridge {
  #options;
  #link = null;
  #closed = false;
  #held = 0;
  #recorded;

  /**
   * @param {object} options
   * @param {string[]} options.command - the worker's program and its arguments
   * @param {[string, object?][]} [options.setup] - operations to run on every new worker before anything else in the
   *   session "anonymous"
   * @param {object} [options.env] - variables to set or, with `undefined`, to remove for the worker
   * @param {number} [options.startTimeoutMs] - in which the worker must greet back; 30,000 by default
   * @param {(line: string) => void} [options.onStderr] - is given the worker's log and all that its framework prints,
   *   which otherwise goes to this program's stderr
   * @param {(name: string, data: object) => void} [options.onEvent] - is told of "progress", as while a framework is
   *   imported
   */
  constructor({ setup = [], ...options }) {
    this.#options = { startTimeoutMs: 30_000, ...options };
    this.#recorded = new Map([["anonymous", setup.map(([operation, args]) => new Request(operation, args))]]);
  }

  /** The id of the process that was started, the guardian above the worker; undefined while there is none. */
  get pid() {
    return this.#link?.pid;
  }

  /** Starts the worker and returns what it says of itself; every call starts it too. */
  async start() {
    return await this.#usable().greeting;
  }

  /**
   * Runs an operation and returns its result.
   *
   * @param {string} operation
   * @param {object} [args]
   * @param {object} [options] - `session`; `timeoutMs`, for all that the call needs, a new worker included; `signal`,
   *   an AbortSignal. The worker goes on with what it has begun.
   */
  async run(operation, args, options) {
    return await this.#call(new Request(operation, args, options), options).outcome;
  }

  /** Configures a framework for a session, and again on every worker that comes later. */
  async configure(framework, config, options) {
    return await this.run("configure", { framework, config }, options);
  }

  /** Runs an operation that streams: iterate over its chunks, then `await` its `result`. Options as for `run`. */
  stream(operation, args, options) {
    return new Stream(this.#call(new Request(operation, args, options, true), options));
  }

  /** Lets the worker end in order. What it does not answer any more fails with TRANSPORT_CLOSED. */
  async close() {
    this.#closed = true;
    await this.#link?.close();
  }

  #call(request, options) {
    const call = new Call(request, options);
    if (!call.done) this.#perform(call).catch((error) => call.end(error));
    return call;
  }

  async #perform(call) {
    const link = this.#usable();
    if (this.#held + link.open.size >= MAX_IN_FLIGHT) {
      throw failure("TOO_MANY_IN_FLIGHT", `${MAX_IN_FLIGHT} calls have no answer yet`);
    }
    this.#held += 1;
    try {
      await link.greeting;
      await this.#prepare(link, call.request);
    } finally {
      this.#held -= 1;
    }
    if (call.done) return; // late or aborted: nothing is sent
    call.onResult = () => this.#remember(link, call.request);
    link.send(call);
  }

  #usable() {
    if (this.#closed) throw failure("TRANSPORT_CLOSED", "this Bridge was closed; make a new one");
    if (!this.#link || this.#link.error) this.#link = new Link(this.#options);
    return this.#link;
  }

  /** Makes the request's session on this worker what it was on the last one. */
  async #prepare(link, { session, key }) {
    while (true) {
      if (!link.sessions.has(session)) link.sessions.set(session, this.#replay(link, session));
      const attempt = link.sessions.get(session);
      const failed = await attempt;
      if (!failed) return;
      if (link.sessions.get(session) === attempt) link.sessions.delete(session); // the next request tries again
      if (failed.step.key !== key) throw failed.error;
      link.replayed.add(failed.step); // this very request sets the same anew
    }
  }

  /** Sends one step after another, because it may need the one before, and returns the one that fails. */
  async #replay(link, session) {
    for (const step of this.#recorded.get(session) ?? []) {
      if (link.replayed.has(step)) continue;
      const call = new Call(step);
      link.send(call);
      try {
        await call.outcome;
      } catch (error) {
        return { step, error };
      }
      link.replayed.add(step);
    }
    return null;
  }

  #remember(link, request) {
    const { operation, session, key } = request;
    if (operation === "close_session") this.#recorded.delete(session);
    if (!link.configures.includes(operation)) return;
    const others = (this.#recorded.get(session) ?? []).filter((step) => step.key !== key);
    this.#recorded.set(session, [...others, request]);
    link.replayed.add(request);
  }
}
