/** Clients of a scripted worker: see ../../testing/scripted_worker.py for the steps. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Bridge } from "../bridge/index.js";

const SCRIPTED = fileURLToPath(new URL("../../testing/scripted_worker.py", import.meta.url));

export const command = (steps) => ["python3", SCRIPTED, JSON.stringify(steps)];

/** A client whose worker plays the steps; it is closed after the test. */
export function client(t, steps, options = {}) {
  const bridge = new Bridge({ command: command(steps), ...options });
  t.after(() => bridge.close());
  return bridge;
}

/** The same, after the worker has greeted. Requests are counted from 1: the greeting is number 0. */
export const scripted = (t, steps, options) => client(t, [["greet", {}], ...steps], options);

/** The same for several workers, one after the other. */
export function lives(t, scripts, options) {
  const folder = mkdtempSync(join(tmpdir(), "bridge-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return client(t, [["lives", join(folder, "lives"), scripts.map((steps) => [["greet", {}], ...steps])]], options);
}

export const result = (number, value) => ({ id: `id ${number}`, success: true, result: value, timestamp: 0 });

export function refusal(id, reason, code = "internal") {
  const error_info = { code, reason, details: { why: "x" }, retryable: true };
  return { id, success: false, error: "no", error_info, timestamp: 0 };
}

export const chunk = (number, chunk_id, payload, is_final = false) => ({
  id: `id ${number}`,
  chunk: { chunk_id, payload, is_final },
});

/** The error of a promise that must fail. */
export function failure(promise) {
  return promise.then(() => Promise.reject(new Error("it did not fail")), (error) => error);
}

export const reason = async (promise) => (await failure(promise)).reason;

/** Waits until something is so. */
export async function until(holds) {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
