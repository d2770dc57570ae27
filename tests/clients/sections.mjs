// What the scripts of both JavaScript libraries share: sections, comparisons, and waiting.
//
// Each section begins with an empty server and new connections. A line for each says how it went: `ok NAME`, or
// `FAILED NAME: WHY`; the last line is `done`.

import assert from "node:assert/strict";

export const port = Number(process.argv[2]);
export const protocol = Number(process.argv[3]);

// Far above any real reply, far below the patience of the test.
export const patienceMs = 5000;

const sections = [];

/** Declares the section `name`. */
export function section(name, body) {
  sections.push({ name, body });
}

/** Fails unless both are the same; objects with and without a prototype are. */
export function check(found, expected) {
  assert.deepEqual(found, expected, `expected ${show(expected)}, found ${show(found)}`);
}

/** Fails unless the promise is rejected with an error whose text holds `text`. */
export async function refused(text, promise) {
  let found;
  try {
    found = await promise;
  } catch (error) {
    if (!error.message.includes(text)) {
      throw new Error(`expected an error with ${show(text)}, found ${error.message}`);
    }
    return;
  }
  throw new Error(`expected an error with ${show(text)}, found ${show(found)}`);
}

/** Pauses. */
export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits for what another connection is about to bring about. */
export async function until(condition) {
  const deadline = Date.now() + patienceMs;
  while (!(await condition())) {
    if (Date.now() > deadline) {
      throw new Error("what was waited for did not happen");
    }
    await pause(2);
  }
}

/** Messages as they arrive, taken one by one. */
export class Inbox {
  #messages = [];

  /** Adds a message. */
  add(...message) {
    this.#messages.push(message.map(String));
  }

  /** The next message. */
  async next() {
    await until(() => this.#messages.length > 0);
    return this.#messages.shift();
  }
}

/** What a blocking call that is under way returns when `wake` is called while it blocks. */
export async function woken(info, blocking, wake) {
  let ended = false;
  const result = blocking.finally(() => (ended = true));
  result.catch(() => {});
  await until(async () => ended || /^blocked_clients:1\r?$/m.test(await info()));
  await wake();
  return result;
}

/** `count` names that begin with `prefix`. */
export function names(prefix, count, first = 0) {
  return Array.from({ length: count }, (_, at) => `${prefix}${first + at}`);
}

function show(value) {
  const seen = (_, item) => (typeof item === "bigint" ? `${item}n` : item instanceof Set ? [...item] : item);
  const text = JSON.stringify(value, seen) ?? String(value);
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}

/** Runs every section between `before` and `after`. */
export async function run(before, after) {
  for (const { name, body } of sections) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not done after ${2 * patienceMs} ms`)), 2 * patienceMs);
    });
    try {
      await Promise.race([late, Promise.resolve().then(before).then(body)]);
      console.log(`ok ${name}`);
    } catch (error) {
      console.log(`FAILED ${name}: ${error.message.split(/\s+/).join(" ")}`);
    }
    clearTimeout(timer);
    await after();
  }
  console.log("done");
  process.exit(0);
}
