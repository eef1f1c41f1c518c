/** Frames: four bytes of length, the most significant first, and so many bytes of JSON. */

import { failure } from "./errors.js";

/** Cuts what arrives into payloads, however the bytes come; none is copied twice. */
export class FrameReader {
  #parts = [];
  #length = 0;

  constructor(maxFrameBytes = 64 << 20) {
    this.maxFrameBytes = maxFrameBytes;
  }

  *read(data) {
    this.#parts.push(data);
    this.#length += data.length;
    while (this.#length >= 4) {
      if (this.#parts[0].length < 4) this.#parts = [Buffer.concat(this.#parts)];
      const end = 4 + this.#parts[0].readUInt32BE(0);
      if (end - 4 > this.maxFrameBytes) throw failure("FRAMING_LOST", `a frame of ${end - 4} bytes was announced`);
      if (this.#length < end) return;
      const whole = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
      this.#length -= end;
      this.#parts = this.#length > 0 ? [whole.subarray(end)] : [];
      yield whole.subarray(4, end);
    }
  }
}

/** Returns a message as a frame. */
export function frameOf(message) {
  const json = jsonOf(message);
  const size = Buffer.byteLength(json);
  const frame = Buffer.allocUnsafe(4 + size);
  frame.writeUInt32BE(size, 0);
  frame.write(json, 4);
  return frame;
}

function jsonOf(message) {
  try {
    return JSON.stringify(message, refuseWhatWouldChange);
  } catch (cause) {
    throw failure("INVALID_ARGUMENTS", `no JSON can say this: ${cause.message}`, { cause });
  }
}

// By itself JSON.stringify makes null of NaN, and {} of a Map.
function refuseWhatWouldChange(key, value) {
  const was = this[key]; // before its toJSON, which a Buffer has
  if (typeof was === "number" && !Number.isFinite(was)) throw new TypeError(`${key} is ${was}`);
  if (was instanceof Map || was instanceof Set || ArrayBuffer.isView(was)) {
    throw new TypeError(`${key} is a ${was.constructor.name}`);
  }
  return value;
}

/** Returns the message in a payload. */
export function messageIn(payload) {
  try {
    return JSON.parse(payload);
  } catch (cause) {
    throw failure("FRAMING_LOST", "what came is no message", { cause });
  }
}
