/** What is asked of a worker, and what comes of it. */

import { failure } from "./errors.js";
import { frameOf } from "./frames.js";

const MAX_TIMER_MS = 2 ** 31 - 1;

/** What is sent: once, and again to a new worker if it configures its session. Its id is free once it was answered. */
export class Request {
  static #ids = 0;

  constructor(operation, args = {}, { session = "anonymous", timeoutMs } = {}, stream = undefined) {
    this.id = ++Request.#ids;
    this.operation = operation;
    this.session = session;
    this.stream = Boolean(stream);
    // What a configuring request sets: a later one with the same names takes its place.
    this.key = JSON.stringify([operation, Object.keys(args).sort(), Object.keys(args.config ?? {}).sort()]);
    const fields = { id: this.id, command: operation, args, session_id: session, timeout_ms: timeoutMs, stream };
    this.frame = frameOf(fields);
  }
}

/** A request on its way: chunks, if it streams, and one outcome. */
export class Call {
  #settle;
  #timer;
  #signal;
  #link = null;
  #chunks = [];
  #wake = () => {};
  #waits = false; // a consumer, for the next chunk
  #insists = false; // somebody, for the result of a stream whether or not its chunks are taken
  #counted = false; // by the link, as one for whom it has to read
  done = false;
  onResult = () => {};

  constructor(request, { timeoutMs, signal } = {}) {
    this.request = request;
    this.outcome = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.outcome.catch(() => {}); // perhaps nobody asks, or only later
    if (timeoutMs !== undefined) this.#timer = setTimeout(this.#late, Math.min(timeoutMs, MAX_TIMER_MS));
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort);
    if (signal?.aborted) this.#abort();
  }

  #late = () => this.leave(failure("CALL_TIMEOUT", `${this.request.operation} was not answered in time`));
  #abort = () => this.leave(this.#cancelled(this.#signal.reason));
  #cancelled = (cause) => failure("CALL_CANCELLED", `nobody waits for ${this.request.operation} any more`, { cause });

  /** Says by which worker it will be answered. */
  join(link) {
    this.#link = link;
    this.#count();
  }

  /** Adds a chunk that came in so many bytes. */
  add(payload, size) {
    if (this.done) return;
    this.#chunks.push({ payload, size });
    this.#link.keep(size);
    this.#wake();
  }

  /** Gives it its outcome, if it has none. */
  end(error, result) {
    if (this.done) return;
    this.done = true;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#count();
    if (error) {
      this.#settle.reject(error);
    } else {
      this.onResult();
      this.#settle.resolve(result);
    }
    this.#wake();
  }

  /** Takes nothing more: what has come is dropped, and so is what will come. */
  leave(error = this.#cancelled()) {
    this.end(error);
    while (this.#chunks.length > 0) this.#take();
  }

  /** Returns the outcome to somebody who waits for it whether or not chunks are taken. */
  insist() {
    this.#insists = true;
    this.#count();
    return this.outcome;
  }

  async *chunks() {
    try {
      while (true) {
        while (this.#chunks.length > 0) yield this.#take();
        if (this.done) break;
        this.#waits = true;
        this.#count();
        await new Promise((resolve) => (this.#wake = resolve));
        this.#waits = false;
        this.#count();
      }
      await this.outcome; // for its error, which belongs behind the chunks
    } finally {
      this.leave();
    }
  }

  #take() {
    const { payload, size } = this.#chunks.shift();
    this.#link.keep(-size);
    return payload;
  }

  #count() {
    const counts = !this.done && (!this.request.stream || this.#waits || this.#insists);
    if (!this.#link || counts === this.#counted) return;
    this.#counted = counts;
    this.#link.wait(counts ? 1 : -1);
  }
}

/** The chunks of one call, to iterate over, and its result. Leave the loop at any time: what still comes is dropped. */
export class Stream {
  #call;
  #chunks;

  constructor(call) {
    this.#call = call;
    this.#chunks = call.chunks();
  }

  /** What the operation has returned in the end, a promise. */
  get result() {
    return this.#call.insist();
  }

  [Symbol.asyncIterator]() {
    return this.#chunks;
  }
}
