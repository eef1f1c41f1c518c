import assert from "node:assert/strict";
import { test } from "node:test";

import { FrameReader, frameOf, messageIn } from "../bridge/frames.js";

const MESSAGES = [{}, { text: "ü€😀" }, { list: [1, 2.5, null, true] }];
const WIRE = Buffer.concat(MESSAGES.map(frameOf));

const read = (reader, data) => [...reader.read(data)].map(messageIn);

test("frames that come in one piece are all there", () => {
  assert.deepEqual(read(new FrameReader(), WIRE), MESSAGES);
});

test("frames are the same however they are cut", () => {
  for (let first = 0; first <= WIRE.length; first++) {
    for (let second = first; second <= WIRE.length; second++) {
      const reader = new FrameReader();
      const pieces = [WIRE.subarray(0, first), WIRE.subarray(first, second), WIRE.subarray(second)];
      assert.deepEqual(pieces.flatMap((piece) => read(reader, piece)), MESSAGES);
    }
  }
});

test("frames are the same byte by byte", () => {
  const reader = new FrameReader();
  assert.deepEqual([...WIRE].flatMap((byte) => read(reader, Buffer.of(byte))), MESSAGES);
});

for (const size of [1 << 16, (1 << 20) + 1, 5 << 20]) {
  test(`a frame of ${size} characters that comes in pieces is whole`, () => {
    const reader = new FrameReader();
    const message = { text: "ä".repeat(size) };
    const frame = frameOf(message);
    const messages = [];
    for (let at = 0; at < frame.length; at += 1 << 16) messages.push(...read(reader, frame.subarray(at, at + (1 << 16))));
    assert.deepEqual(messages, [message]);
  });
}

test("a frame beyond the limit is refused by its header", () => {
  const reader = new FrameReader(10);
  assert.deepEqual(read(reader, Buffer.from("\0\0\0\x0a{\"a\":true}", "latin1")), [{ a: true }]);
  assert.throws(() => read(reader, Buffer.of(0, 0, 0, 11)), { reason: "FRAMING_LOST", code: "data_loss" });
});

test("what is no JSON is no message", () => {
  assert.throws(() => messageIn(Buffer.from("{")), { reason: "FRAMING_LOST" });
});

test("what JSON would change without a word is refused", () => {
  const circle = {};
  circle.circle = circle;
  for (const value of [NaN, Infinity, 2n, new Map(), new Set(), Buffer.of(1), new Float32Array(1), circle]) {
    assert.throws(() => frameOf({ value: [value] }), { reason: "INVALID_ARGUMENTS", code: "invalid_argument" });
  }
});
