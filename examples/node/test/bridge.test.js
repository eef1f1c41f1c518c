import assert from "node:assert/strict";
import { test } from "node:test";

import { Bridge, BridgeError } from "../bridge/index.js";
import { Call, Request } from "../bridge/call.js";
import { Link } from "../bridge/link.js";
import { chunk, client, command, failure, lives, reason, refusal, result, scripted, until } from "./scripted.js";

test("an answer that comes byte by byte is one answer", async (t) => {
  const bridge = scripted(t, [["read", 1], ["say", result(1, "args 1"), 1]]);
  assert.deepEqual(await bridge.run("x", { value: "ü€😀" }), { value: "ü€😀" });
});

test("answers that come at once and in another order reach those who asked", async (t) => {
  const answers = [8, 7, 6, 5, 4, 3, 2, 1].map((number) => result(number, `args ${number}`));
  const bridge = scripted(t, [["read", 8], ["together", answers]]);
  const asked = [1, 2, 3, 4, 5, 6, 7, 8].map((number) => ({ number }));
  assert.deepEqual(await Promise.all(asked.map((args) => bridge.run("x", args))), asked);
});

for (const size of [1 << 16, (1 << 20) + 1, 5 << 20]) {
  test(`arguments and a result of ${size} characters arrive`, async (t) => {
    const text = "ä".repeat(size);
    const bridge = scripted(t, [["read", 1], ["say", result(1, "args 1")]]);
    assert.deepEqual(await bridge.run("x", { text }), { text });
  });
}

test("the worker is asked for integers that JavaScript can hold", async (t) => {
  const bridge = scripted(t, [["read", 1], ["say", result(1, "args 0")]]);
  assert.equal((await bridge.run("x")).safe_integers, true);
});

test("an answer to what nobody has asked is passed over, and a warning", async (t) => {
  const warned = new Promise((resolve) => process.once("warning", resolve));
  const bridge = scripted(t, [["read", 1], ["say", { ...result(1, 0), id: "text 1" }], ["say", result(1, 1)]]);
  assert.equal(await bridge.run("x"), 1);
  assert.match((await warned).message, /nobody has asked/);
});

test("an error response is a typed error", async (t) => {
  const bridge = scripted(t, [["read", 1], ["say", refusal("id 1", "SOME_REASON", "not_found")]]);
  const error = await failure(bridge.run("x"));
  assert.ok(error instanceof BridgeError && error instanceof Error);
  const { code, message, details, retryable } = error;
  assert.deepEqual({ code, reason: error.reason, message, details, retryable }, {
    code: "not_found", reason: "SOME_REASON", message: "no", details: { why: "x" }, retryable: true,
  });
});

test("a call that no JSON can say is refused before it is sent", async (t) => {
  const bridge = scripted(t, [["read", 1], ["say", result(1, 1)]]);
  assert.equal(await reason(bridge.run("x", { big: 2n })), "INVALID_ARGUMENTS");
  assert.throws(() => bridge.stream("x", { number: NaN }), { reason: "INVALID_ARGUMENTS" });
  assert.equal(await bridge.run("x"), 1);
});

test("a call that is longer than a frame is refused before it is sent", async (t) => {
  const greet = ["greet", { limits: { max_frame_bytes: 1_000 } }];
  const bridge = client(t, [greet, ["read", 1], ["say", result(1, 1)]]);
  assert.equal(await reason(bridge.run("x", { text: "x".repeat(1_000) })), "FRAME_TOO_LARGE");
  assert.equal(await bridge.run("x"), 1);
});

test("a late answer is dropped and the next one belongs to its call", async (t) => {
  const bridge = scripted(t, [["read", 2], ["say", result(1, "late")], ["say", result(2, "right")]]);
  await bridge.start();
  assert.equal(await reason(bridge.run("x", {}, { timeoutMs: 1 })), "CALL_TIMEOUT");
  assert.equal(await bridge.run("x"), "right");
});

test("an aborted call fails at once with what aborted it as its cause, also before it has begun", async (t) => {
  const bridge = scripted(t, [["read", 2], ["say", result(1, "unwanted")], ["say", result(2, "right")]]);
  await bridge.start();
  const controller = new AbortController();
  const aborted = failure(bridge.run("x", {}, { signal: controller.signal }));
  await new Promise((resolve) => setImmediate(resolve));
  controller.abort(new Error("enough"));
  const { code, reason: why, cause } = await aborted;
  assert.deepEqual([code, why, cause.message], ["cancelled", "CALL_CANCELLED", "enough"]);
  assert.equal(await reason(bridge.run("x", {}, { signal: AbortSignal.abort() })), "CALL_CANCELLED");
  assert.equal(await bridge.run("x"), "right");
});

test("while the worker does not read, deadlines hold and what is aborted is not sent", async (t) => {
  const bridge = scripted(t, [["read", 2], ["say", result(1, "late")], ["say", result(2, "args 2")]]);
  await bridge.start();
  process.kill(bridge.pid, "SIGSTOP");
  const text = "x".repeat(1 << 20);
  assert.equal(await reason(bridge.run("x", { text }, { timeoutMs: 10 })), "CALL_TIMEOUT");
  assert.equal(await reason(bridge.run("x", { text }, { timeoutMs: 10 })), "CALL_TIMEOUT"); // waits for room until then
  process.kill(bridge.pid, "SIGCONT");
  assert.deepEqual(await bridge.run("x", { last: true }), { last: true });
});

test("a worker that dies while it is written to fails its calls", async (t) => {
  const bridge = scripted(t, [["hang"]]);
  await bridge.start();
  const calls = [1, 2].map(() => reason(bridge.run("x", { text: "x".repeat(1 << 20) })));
  process.kill(bridge.pid, "SIGKILL");
  assert.deepEqual(await Promise.all(calls), ["WORKER_CRASHED", "WORKER_CRASHED"]);
});

test("a stream is its chunks, then its result", async (t) => {
  const messages = [chunk(1, 0, "a"), chunk(1, 1, "b"), chunk(1, 2, null, true), result(1, "ab")];
  const bridge = scripted(t, [["read", 1], ["together", messages]]);
  const stream = bridge.stream("x");
  const chunks = [];
  for await (const payload of stream) chunks.push(payload);
  assert.deepEqual([chunks, await stream.result], [["a", "b"], "ab"]);
});

test("an error of a stream comes after its chunks, and from its result too", async (t) => {
  const bridge = scripted(t, [["read", 1], ["together", [chunk(1, 0, "a"), refusal("id 1", "BROKE")]]]);
  const stream = bridge.stream("x");
  const chunks = [];
  const error = await failure((async () => { for await (const payload of stream) chunks.push(payload); })());
  assert.deepEqual([chunks, error.reason, await reason(stream.result)], [["a"], "BROKE", "BROKE"]);
});

test("a stream that is left early disturbs nobody", async (t) => {
  const rest = [chunk(1, 1, "b"), chunk(1, 2, null, true), result(1, "ab"), result(2, "other")];
  const bridge = scripted(t, [["read", 1], ["say", chunk(1, 0, "a")], ["read", 1], ["together", rest]]);
  const stream = bridge.stream("x");
  for await (const payload of stream) {
    assert.equal(payload, "a");
    break;
  }
  assert.equal(await bridge.run("x"), "other");
  assert.equal(await reason(stream.result), "CALL_CANCELLED");
});

test("a stream that is aborted while its consumer waits ends with that", async (t) => {
  const bridge = scripted(t, [["read", 1], ["say", chunk(1, 0, "a")]]);
  const controller = new AbortController();
  const seen = [];
  const error = await failure((async () => {
    for await (const payload of bridge.stream("x", {}, { signal: controller.signal })) {
      seen.push(payload);
      setImmediate(() => controller.abort());
    }
  })());
  assert.deepEqual([seen, error.reason], [["a"], "CALL_CANCELLED"]);
});

const LARGE = ["repeat", "x", 1 << 20];
const FLOOD = Array.from({ length: 16 }, (_, number) => ["say", chunk(1, number, LARGE)]);

test("a consumer that takes nothing makes the worker wait, and gets all of it later", async () => {
  const lines = [];
  const steps = [["greet", {}], ["read", 1], ...FLOOD, ["log", "all said\n"], ["say", result(1, "end")]];
  const link = new Link({ command: command(steps), startTimeoutMs: 30_000, onStderr: (line) => lines.push(line) });
  await link.greeting;
  const call = new Call(new Request("x", {}, {}, true));
  link.send(call);
  await until(() => link.paused);
  assert.deepEqual(lines, []); // more than any pipe holds is still to be said
  let size = 0;
  for await (const payload of call.chunks()) size += payload.length;
  assert.equal(size, 16 << 20);
  assert.equal(await call.outcome, "end");
  await link.close();
  assert.deepEqual(lines, ["all said"]);
});

test("who asks something between two chunks is answered, however much comes before", async (t) => {
  const steps = [["read", 1], ["say", chunk(1, 0, "first")], ["read", 1], ...FLOOD];
  const bridge = scripted(t, [...steps, ["together", [result(2, "answered"), result(1, "end")]]]);
  const stream = bridge.stream("x");
  const sizes = [];
  for await (const payload of stream) {
    if (payload === "first") assert.equal(await bridge.run("y"), "answered");
    sizes.push(payload.length);
  }
  assert.equal(sizes.length, 17);
});

test("the result of a stream comes also if nobody takes its chunks", async (t) => {
  const bridge = scripted(t, [["read", 1], ...FLOOD, ["say", result(1, "end")]]);
  assert.equal(await bridge.stream("x").result, "end");
});

test("a worker that dies fails all its open calls and streams; the next call gets another one", async (t) => {
  const dying = [["read", 2], ["log", "dying\n"], ["exit", 9]];
  const lines = [];
  const options = { onStderr: (line) => lines.push(line) };
  const bridge = lives(t, [dying, [["read", 1], ["say", result(1, "alive")]]], options);
  const call = failure(bridge.run("x"));
  const error = await failure((async () => { for await (const _ of bridge.stream("x")); })());
  assert.equal(await call, error);
  assert.deepEqual([error.code, error.reason, error.retryable], ["unavailable", "WORKER_CRASHED", true]);
  assert.deepEqual(error.details, { exit_code: 9, signal: null, stderr: ["dying"] });
  assert.equal(await bridge.run("x"), "alive");
  assert.deepEqual(lines, ["dying"]);
});

const BROKEN = {
  "dies inside a frame": [[["read", 1], ["raw", "000000087b22"], ["exit", 0]], "WORKER_CRASHED"],
  "sends a frame that is no message": [[["read", 1], ["raw", "000000027b7b"]], "FRAMING_LOST"],
  "announces more than a frame may have": [[["read", 1], ["raw", "ffffffff"]], "FRAMING_LOST"],
  "says an error that is about no call": [[["read", 1], ["say", refusal(null, "MALFORMED_MESSAGE")]], "MALFORMED_MESSAGE"],
};
for (const [what, [steps, why]] of Object.entries(BROKEN)) {
  test(`a worker that ${what} fails its calls, and another one serves the next`, async (t) => {
    const bridge = lives(t, [steps, [["read", 1], ["say", result(1, "served")]]]);
    assert.equal(await reason(bridge.run("x")), why);
    assert.equal(await bridge.run("x"), "served");
  });
}

const UNGREETED = {
  "exits at the start": [[["exit", 1]], "WORKER_CRASHED"],
  "says why it does not serve": [[["say", refusal(null, "FRAMEWORK_NOT_FOUND")], ["exit", 1]], "FRAMEWORK_NOT_FOUND"],
  "refuses to greet": [[["read", 1], ["say", refusal("id 0", "UNSUPPORTED_PROTOCOL")]], "UNSUPPORTED_PROTOCOL"],
  "speaks another protocol": [[["greet", { protocol: 2 }]], "UNSUPPORTED_PROTOCOL"],
};
for (const [what, [steps, why]] of Object.entries(UNGREETED)) {
  test(`a worker that ${what} fails the calls that wait for it`, async (t) => {
    const bridge = client(t, steps);
    assert.deepEqual(await Promise.all([reason(bridge.run("x")), reason(bridge.start())]), [why, why]);
  });
}

test("a worker that does not greet back in time is given up", async (t) => {
  const bridge = client(t, [["read", 1]], { startTimeoutMs: 10 });
  assert.equal(await reason(bridge.run("x")), "STARTUP_TIMEOUT");
});

test("a program that is not there is an invalid configuration", async () => {
  const bridge = new Bridge({ command: ["/no/such/program"], onStderr: () => {} });
  assert.equal(await reason(bridge.run("x")), "INVALID_CONFIG");
  await bridge.close();
});

test("setup is done on every worker, one step after the other, before any call", async (t) => {
  const answers = [["read", 1], ["say", result(1, null)], ["read", 1], ["say", result(2, null)], ["read", 1]];
  const tell = ["say", result(3, ["request 1", "request 2"])];
  const bridge = lives(t, [[...answers, ["exit", 1]], [...answers, tell]], { setup: [["a", { one: 1 }], ["b"]] });
  assert.equal(await reason(bridge.run("x")), "WORKER_CRASHED");
  const [first, second] = await bridge.run("x");
  assert.deepEqual([first.command, first.args, first.session_id], ["a", { one: 1 }, "anonymous"]);
  assert.equal(second.command, "b");
});

test("what has configured a session is done again there, the last of its kind only", async (t) => {
  const configured = [1, 2, 3].flatMap((number) => [["read", 1], ["say", result(number, null)]]);
  const first = [...configured, ["read", 1], ["exit", 1]];
  const second = [["read", 1], ["say", result(1, null)], ["read", 1], ["say", result(2, "request 1")]];
  const bridge = lives(t, [first, [...second, ["read", 1], ["say", result(3, "request 3")]]]);
  const session = "s";
  await bridge.configure("f", { a: 1 }, { session });
  await bridge.configure("f", { a: 2 }, { session });
  await bridge.run("not.configuring", {}, { session });
  assert.equal(await reason(bridge.run("x", {}, { session })), "WORKER_CRASHED");
  const request = await bridge.run("x", {}, { session });
  assert.deepEqual([request.command, request.session_id], ["configure", session]);
  assert.deepEqual(request.args, { framework: "f", config: { a: 2 } });
  assert.equal((await bridge.run("y", {}, { session: "other" })).command, "y");
});

test("a configuration that fails on the new worker fails its session's calls, but not one that sets it anew", async (t) => {
  const first = [["read", 1], ["say", result(1, null)], ["read", 1], ["exit", 1]];
  const refuse = (number) => [["read", 1], ["say", refusal(`id ${number}`, "INVALID_CONFIG")]];
  const serve = [["read", 1], ["say", result(3, "anew")], ["read", 1], ["say", result(4, "served")]];
  const bridge = lives(t, [first, [...refuse(1), ...refuse(2), ...serve]]);
  await bridge.configure("f", { a: 1 });
  assert.equal(await reason(bridge.run("x")), "WORKER_CRASHED");
  assert.equal(await reason(bridge.run("x")), "INVALID_CONFIG");
  assert.equal(await bridge.configure("f", { a: 2 }), "anew");
  assert.equal(await bridge.run("x"), "served");
});

test("events reach who asked for them", async (t) => {
  const events = [];
  const data = { id: 1, message: "half", fraction: 0.5 };
  const steps = [["read", 1], ["together", [{ event: "progress", data }, result(1, "args 0")]]];
  const bridge = scripted(t, steps, { onEvent: (...event) => events.push(event) });
  assert.deepEqual((await bridge.run("x")).want, ["progress"]);
  assert.deepEqual(events, [["progress", data]]);
});

test("a bridge that is closed answers who waits, and its worker has ended by then", async () => {
  const bridge = new Bridge({ command: command([["greet", {}]]) });
  const { pid } = (await bridge.start(), bridge);
  const call = reason(bridge.run("x"));
  await new Promise((resolve) => setImmediate(resolve));
  await bridge.close();
  assert.equal(await call, "TRANSPORT_CLOSED");
  assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  assert.equal(await reason(bridge.run("x")), "TRANSPORT_CLOSED");
});

test("a worker's environment is what is asked for", async () => {
  const lines = [];
  const script = 'printf "%s\\n" "${BRIDGE_A-unset} ${HOME-unset}" >&2';
  const env = { BRIDGE_A: "ü", HOME: undefined };
  const bridge = new Bridge({ command: ["sh", "-c", script], env, onStderr: (line) => lines.push(line) });
  assert.equal(await reason(bridge.run("x")), "WORKER_CRASHED");
  assert.deepEqual(lines, ["ü unset"]);
});
