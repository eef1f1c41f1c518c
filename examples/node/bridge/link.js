/** One worker process, from its start to its end. */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { Call, Request } from "./call.js";
import { BridgeError, failure } from "./errors.js";
import { FrameReader, messageIn } from "./frames.js";

const PROTOCOL = 1;
// Bytes of chunks that are kept before reading stops, unless somebody waits for something that has not come.
const ENOUGH = 1 << 20;
const LAST_LINES = 50;
// A worker lets accepted work finish for 0.4 s after the end of its input, and is gone within a second.
const GRACE_MS = 3_000;

export class Link {
  #options;
  #child;
  #reader = new FrameReader();
  #out = []; // calls that wait for room in the worker's input
  #blocked = false;
  #closing = false;
  #exited = false;
  #lastLines = [];
  #maxFrameBytes = Infinity;
  #kept = 0;
  #waiting = 0;
  /** id -> call, as long as the worker has not answered, also if nobody waits any more */
  open = new Map();
  /** session -> promise: what makes it here what it was on the last worker */
  sessions = new Map();
  /** what has been done again here, of all that is recorded */
  replayed = new Set();
  configures = [];
  /** why nothing can be sent any more */
  error = null;

  constructor(options) {
    this.#options = options;
    const [program, ...args] = options.command;
    this.#child = spawn(program, args, {
      stdio: ["pipe", "pipe", options.onStderr ? "pipe" : "inherit"],
      env: { ...process.env, ...options.env },
      detached: true, // a terminal's Ctrl-C is for this program; if that ends, so does the worker
    });
    const { stdin, stdout, stderr } = this.#child;
    stdin.on("error", () => {}); // EPIPE: the worker has ended, and its end says more
    stdin.on("drain", () => this.#write(false));
    stdout.on("data", (data) => this.#arrived(data));
    if (stderr) createInterface({ input: stderr }).on("line", (line) => this.#log(line));
    this.ended = this.#watch();
    this.greeting = this.#greet();
    this.greeting.catch(() => {}); // every call asks, and perhaps there is none
  }

  get pid() {
    return this.#child.pid;
  }

  /** Whether it does not read, because there is enough. */
  get paused() {
    return this.#child.stdout.isPaused();
  }

  send(call) {
    const { id, frame } = call.request;
    if (this.error || this.#closing) return call.end(this.error ?? this.#closed());
    if (frame.length - 4 > this.#maxFrameBytes) {
      return call.end(failure("FRAME_TOO_LARGE", "the arguments are too long")); // which the worker would end of
    }
    this.open.set(id, call);
    call.join(this);
    this.#out.push(call);
    this.#write(this.#blocked);
  }

  /** Counts those who wait for something that has not come. */
  wait(difference) {
    this.#waiting += difference;
    this.#balance();
  }

  /** Counts the bytes of chunks that nobody has taken yet. */
  keep(difference) {
    this.#kept += difference;
    this.#balance();
  }

  /** Lets the worker finish what it has accepted, and returns when it has ended. */
  async close() {
    this.#closing = true;
    this.#child.stdin.end();
    this.#balance();
    await this.#endWithin();
  }

  /** Takes nothing more from the worker and makes it end. */
  giveUp(error) {
    this.#die(error);
    this.#child.kill("SIGTERM");
    this.#endWithin();
  }

  async #greet() {
    const { startTimeoutMs, onEvent } = this.#options;
    const protocol = [PROTOCOL, PROTOCOL];
    // JSON.parse would change larger integers without a word.
    const args = { protocol, peer: "node", want: onEvent ? ["progress"] : [], safe_integers: true };
    const call = new Call(new Request("hello", args));
    const timer = setTimeout(() => {
      const details = { stderr: this.#lastLines };
      this.giveUp(failure("STARTUP_TIMEOUT", `the worker did not greet back within ${startTimeoutMs} ms`, { details }));
    }, startTimeoutMs);
    try {
      this.send(call);
      const greeting = await call.outcome;
      if (greeting.protocol !== PROTOCOL) {
        throw failure("UNSUPPORTED_PROTOCOL", `the worker speaks protocol ${greeting.protocol}, not ${PROTOCOL}`);
      }
      this.configures = ["configure", ...(greeting.configures ?? [])];
      this.#maxFrameBytes = greeting.limits?.max_frame_bytes ?? Infinity;
      return greeting;
    } catch (error) {
      this.giveUp(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #write(blocked) {
    this.#blocked = blocked;
    while (!this.#blocked && this.#out.length > 0) {
      const call = this.#out.shift();
      if (call.done) this.open.delete(call.request.id); // nobody waits, and the worker has not heard of it
      else this.#blocked = !this.#child.stdin.write(call.request.frame);
    }
  }

  /** Reads, unless there is enough and nobody waits: then the worker finds its output full, and waits too. */
  #balance() {
    const { stdout } = this.#child;
    const enough = this.#kept > ENOUGH && this.#waiting === 0 && !this.#closing && !this.#exited && !this.error;
    if (enough !== stdout.isPaused()) enough ? stdout.pause() : stdout.resume();
  }

  #arrived(data) {
    try {
      for (const payload of this.#reader.read(data)) {
        if (this.error) return;
        this.#heard(messageIn(payload), payload.length);
      }
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error; // from the program, which was told of an event
      this.giveUp(error);
    }
  }

  #heard(message, size) {
    const { id } = message;
    if (message.event !== undefined) return this.#options.onEvent?.(message.event, message.data);
    if (id === null) return this.giveUp(BridgeError.fromResponse(message)); // it may be about any call
    const call = this.open.get(id);
    if (!call) return process.emitWarning(`bridge: the worker answered what nobody has asked: ${JSON.stringify(id)}`);
    if (message.chunk) return message.chunk.is_final || call.add(message.chunk.payload, size);
    this.open.delete(id);
    return message.success ? call.end(null, message.result) : call.end(BridgeError.fromResponse(message));
  }

  #log(line) {
    this.#lastLines = [...this.#lastLines, line].slice(-LAST_LINES);
    this.#options.onStderr(line);
  }

  /** Returns when the worker has ended and all that it has said was heard. */
  async #watch() {
    const { stdout, stderr } = this.#child;
    const exit = new Promise((resolve) => {
      this.#child.once("exit", (code, signal) => resolve({ code, signal }));
      this.#child.once("error", (cause) => this.pid === undefined && resolve({ cause }));
    });
    const closed = (stream) => stream && new Promise((resolve) => stream.once("close", resolve));
    const silence = Promise.all([closed(stdout), closed(stderr)]);
    const { code, signal, cause } = await exit;
    this.#exited = true;
    this.#balance();
    // Somebody else may hold the other ends, and keep them.
    const timer = setTimeout(() => [stdout, stderr].forEach((stream) => stream?.destroy()), GRACE_MS);
    await silence;
    clearTimeout(timer);
    this.#die(this.#closing ? this.#closed() : this.#whyEnded(code, signal, cause));
  }

  #closed() {
    return failure("TRANSPORT_CLOSED", "this Bridge was closed; make a new one");
  }

  #whyEnded(code, signal, cause) {
    const program = this.#options.command[0];
    if (cause) return failure("INVALID_CONFIG", `${program} cannot be run: ${cause.message}`, { cause });
    const details = { exit_code: code, signal, stderr: this.#lastLines };
    const how = signal ?? `exit code ${code}`;
    return failure("WORKER_CRASHED", `the worker ended (${how}) before it answered`, { details });
  }

  #die(error) {
    if (this.error) return;
    this.error = error;
    for (const call of this.open.values()) call.end(error);
    this.open.clear();
    this.#balance();
  }

  async #endWithin() {
    const terminate = setTimeout(() => this.#child.kill("SIGTERM"), GRACE_MS);
    const kill = setTimeout(() => this.#child.kill("SIGKILL"), 2 * GRACE_MS);
    await this.ended;
    clearTimeout(terminate);
    clearTimeout(kill);
  }
}
