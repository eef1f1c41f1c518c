// The DSPy job: `node dspy_job.js [MODEL]`. It needs the command `pybridge` with bridge-dspy; MODEL is DSPy's name of a
// model, such as openai/gpt-4o-mini. The default one, embedded, needs no key and only echoes.

import { once } from "node:events";
import { createServer } from "node:net";

import { Bridge } from "./bridge/index.js";

const EXECUTE = "dspy.execute_program";
const model = process.argv[2] ?? "embedded";
const bridge = new Bridge({
  command: ["pybridge", "worker", "--framework", "dspy"],
  onStderr: (line) => console.error("worker:", line),
  onEvent: (name, { message }) => say(name, message),
});

const say = (what, text) => console.log(what.padEnd(14) + text);
const inputs = (question) => ({ program_id: "qa", inputs: { question } });
const create = (session) =>
  bridge.run("dspy.create_program", { id: "qa", signature: "question -> answer" }, { session });

async function ask(question) {
  const { outputs } = await bridge.run(EXECUTE, inputs(question), { timeoutMs: 60_000 });
  return outputs.answer;
}

function failure(promise) {
  return promise.then(() => Promise.reject(new Error("it did not fail")), (error) => error);
}

/** A session whose model never answers: a call that waits for it is surely in flight. */
async function silent(session) {
  const sockets = [];
  const server = createServer((socket) => sockets.push(socket.on("error", () => {})));
  await once(server.listen(0, "127.0.0.1").unref(), "listening");
  const api_base = `http://127.0.0.1:${server.address().port}/v1`;
  await bridge.configure("dspy", { model: "openai/silent", api_base, api_key: "none" }, { session });
  await create(session);
  return async function called(count) {
    while (sockets.length < count) await once(server, "connection");
  };
}

async function stream() {
  const chunks = bridge.stream(EXECUTE, inputs("Why?"));
  for await (const { text } of chunks) say("chunk", text);
  say("result", (await chunks.result).outputs.answer);
  for await (const { text } of bridge.stream(EXECUTE, inputs("Why?"))) {
    say("left early", text);
    break;
  }
}

async function errors() {
  const error = await failure(bridge.run(EXECUTE, { program_id: "nobody", inputs: {} }));
  say("error", `${error.code} ${error.reason}`);
  const wrong = await failure(bridge.run("dspy.create_program", { id: "x", signature: "a -> b", colour: "red" }));
  say("error", `${wrong.code} ${wrong.reason} ${wrong.details.path}`);
}

async function lateAndAborted() {
  await silent("late");
  const late = await failure(bridge.run(EXECUTE, inputs("Why?"), { session: "late", timeoutMs: 200 }));
  say("late", `${late.code} ${late.reason}`);

  const called = await silent("aborted");
  const controller = new AbortController();
  const { signal } = controller;
  const aborted = failure(bridge.run(EXECUTE, inputs("Why?"), { session: "aborted", signal }));
  await called(1);
  controller.abort();
  say("aborted", `${(await aborted).code} ${(await aborted).reason}`);
}

async function death() {
  const called = await silent("death");
  const calls = [1, 2, 3].map(() => failure(bridge.run(EXECUTE, inputs("Why?"), { session: "death" })));
  await called(3);
  process.kill(bridge.pid, "SIGKILL");
  for (const error of await Promise.all(calls)) say("killed", `${error.code} ${error.reason}, ${error.details.signal}`);

  const gone = await failure(ask("And now?"));
  say("fresh worker", `configured again, but the program is gone: ${gone.reason}`);
  await create();
  say("answer", await ask("And now?"));
}

const { worker_id, frameworks, protocol } = await bridge.start();
say("worker", `${worker_id} serves ${frameworks.join(", ")} by protocol ${protocol}`);
say("configured", (await bridge.configure("dspy", { model })).config.model);
say("created", (await create()).program_id);
say("answer", await ask("Why do bridges have arches?"));

const questions = Array.from({ length: 8 }, (_, number) => `What is ${number + 1}?`);
const answers = await Promise.all(questions.map(ask));
questions.forEach((question, number) => say("at once", `${question} ${answers[number]}`));

await stream();
await errors();
await lateAndAborted();
await death();
await bridge.close();
say("closed", "the worker has ended in order");
