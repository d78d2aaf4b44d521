import assert from "node:assert/strict";
import { endingBody, ReusedBuffer } from "../../lib/client/stream_body.ts";

/** A byte stream that gives `text` in pieces of one to seven bytes, then ends or fails. */
function bytesOf(text: string, failure?: Error): ReadableStream<Uint8Array<ArrayBuffer>> {
  let rest = new TextEncoder().encode(text), size = 0;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      if (rest.byteLength > 0) {
        controller.enqueue(rest.slice(0, size = size % 7 + 1));
        rest = rest.slice(size);
      } else if (failure) controller.error(failure);
      else {
        controller.close();
        controller.byobRequest?.respond(0);
      }
    },
  });
}

async function textOf(reader: ReusedBuffer, bytesMax?: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (let piece; (piece = await reader.read(bytesMax));) {
    assert.ok(piece.byteLength <= (bytesMax ?? 16_384));
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

const TEXT = "käse, ".repeat(40);

Deno.test("a body is complete for a reader with a buffer and for one without, and its end is reported once", async () => {
  for (const read of [(body: ReadableStream<Uint8Array>) => textOf(new ReusedBuffer(body), 3), textOfPlain]) {
    const ends: boolean[] = [];
    assert.equal(await read(endingBody(bytesOf(TEXT), (completed) => ends.push(completed))), TEXT);
    assert.deepEqual(ends, [true]);
  }
});

Deno.test("a body that fails passes its error to the reader, and counts as not completed", async () => {
  const failure = new Error("connection reset"), ends: boolean[] = [];
  const body = endingBody(bytesOf(TEXT, failure), (completed) => ends.push(completed));
  await assert.rejects(textOf(new ReusedBuffer(body)), failure);
  assert.deepEqual(ends, [false]);
});

Deno.test("a reader that leaves while it waits ends the source, and counts as not completed", async () => {
  const ends: boolean[] = [], { promise: gone, resolve } = Promise.withResolvers<unknown>();
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({ type: "bytes", cancel: resolve });
  const reader = new ReusedBuffer(endingBody(source, (completed) => ends.push(completed)));
  const waiting = reader.read();
  await reader.cancel("no longer needed");
  assert.equal(await waiting, undefined);
  assert.equal(await gone, "no longer needed");
  assert.deepEqual(ends, [false]);
});

Deno.test("a stream that is not a byte stream is read in chunks no longer than requested", async () => {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of ["", TEXT, "", "end"]) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });
  assert.equal(await textOf(new ReusedBuffer(body), 5), `${TEXT}end`);
});

async function textOfPlain(body: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(body as unknown as BodyInit).text();
}
