import assert from "node:assert/strict";
import fc from "fast-check";
import { MalformedAnswerError, UnreachableError } from "../../lib/client/mod.ts";
import { decodeJsonLines } from "../../lib/client/watch_stream.ts";

function chunked(bytes: Uint8Array, cuts: readonly number[]): ReadableStream<Uint8Array> {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return new ReadableStream({
    start(controller) {
      let from = 0;
      for (const end of [...ends, bytes.length]) {
        if (end > from) controller.enqueue(bytes.slice(from, end));
        from = Math.max(from, end);
      }
      controller.close();
    },
  });
}

async function collect(stream: ReadableStream<Uint8Array>, lineLengthMax?: number): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const batch of decodeJsonLines(stream, { lineLengthMax })) {
    assert.ok(batch.length > 0, "a batch is never empty");
    values.push(...batch);
  }
  return values;
}

Deno.test("values are complete and in order wherever the bytes are cut, inside characters too", async () => {
  const value = fc.record({ text: fc.string({ unit: "grapheme" }), number: fc.integer(), list: fc.array(fc.string()) });
  await fc.assert(
    fc.asyncProperty(fc.array(value, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 40 }), async (values, cuts) => {
      const bytes = new TextEncoder().encode(values.map((one) => `${JSON.stringify(one)}\n`).join(""));
      assert.deepEqual(await collect(chunked(bytes, cuts)), JSON.parse(JSON.stringify(values)));
    }),
    { numRuns: 200 },
  );
});

Deno.test("a line of many small chunks costs linear time", async () => {
  const text = `${JSON.stringify("x".repeat(2 ** 20))}\n`, bytes = new TextEncoder().encode(text);
  let sent = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(sent, sent += 64));
    },
  });
  const [value] = await collect(stream);
  assert.equal((value as string).length, 2 ** 20);
});

Deno.test("empty lines and carriage returns are ignored", async () => {
  assert.deepEqual(await collect(chunked(new TextEncoder().encode("1\n\n\r\n2\r\n"), [])), [1, 2]);
});

Deno.test("a line beyond the bound ends the stream before it is held in memory", async () => {
  let pulled = 0, cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(1_000).fill(0x61));
    },
    cancel: () => void (cancelled = true),
  });
  await assert.rejects(collect(endless, 10_000), MalformedAnswerError);
  assert.ok(pulled < 20, `${pulled} chunks were read`);
  assert.ok(cancelled);
});

Deno.test("a stream that ends inside a line is a broken connection, not an event", async () => {
  const stream = chunked(new TextEncoder().encode('{"a":1}\n{"b":'), []);
  const values: unknown[] = [];
  await assert.rejects(async () => {
    for await (const batch of decodeJsonLines(stream)) values.push(...batch);
  }, UnreachableError);
  assert.deepEqual(values, [{ a: 1 }]);
});

Deno.test("a line that is not JSON is refused without quoting it", async () => {
  await assert.rejects(collect(chunked(new TextEncoder().encode("hunter2\n"), [])), (error: Error) => {
    assert.ok(error instanceof MalformedAnswerError);
    assert.ok(!`${error.message}${error.stack}${error.cause}`.includes("hunter2"));
    return true;
  });
});

Deno.test("a stream that ignores its request's signal still ends with it", async () => {
  const stop = new AbortController();
  const silent = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
  const reading = decodeJsonLines(silent, { signal: stop.signal }).next();
  stop.abort(new Error("enough"));
  await assert.rejects(reading, /enough/);
});

Deno.test("a consumer that stops early cancels the stream", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("1\n2\n")),
    cancel: () => void (cancelled = true),
  });
  for await (const batch of decodeJsonLines(stream)) {
    assert.deepEqual(batch, [1, 2]);
    break;
  }
  assert.ok(cancelled);
});
