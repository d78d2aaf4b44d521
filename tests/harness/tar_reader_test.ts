// FR-169
import assert from "node:assert/strict";
import fc from "fast-check";
import { readTar } from "../../lib/harness/tar_reader.ts";
import { type RawEntry, rawTar } from "./envtest_mirror.ts";

/** A stream of bytes in parts of a size. */
function streamOf(bytes: Uint8Array<ArrayBuffer>, partSize = 700): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += partSize));
    },
  });
}

async function entriesOf(bytes: Uint8Array<ArrayBuffer>, partSize?: number): Promise<[string, boolean, string][]> {
  const found: [string, boolean, string][] = [];
  for await (const { path, isFile, content } of readTar(streamOf(bytes, partSize))) {
    const decoder = new TextDecoder();
    let text = "";
    for await (const part of content) text += decoder.decode(part, { stream: true });
    found.push([path, isFile, text]);
  }
  return found;
}

Deno.test("files, folders and links are distinguished, in whatever parts the archive comes", async () => {
  const entries: RawEntry[] = [
    { path: "tools/", type: "5" },
    { path: "tools/etcd", content: "e".repeat(1_500) },
    { path: "tools/empty" },
    { path: "tools/link", type: "2", linkTo: "etcd" },
  ];
  for (const partSize of [1, 511, 512, 513, 100_000]) {
    assert.deepEqual(await entriesOf(rawTar(entries), partSize), [
      ["tools/", false, ""],
      ["tools/etcd", true, "e".repeat(1_500)],
      ["tools/empty", true, ""],
      ["tools/link", false, ""],
    ]);
  }
});

Deno.test("long paths are read, of GNU tar and of pax", async () => {
  const long = `tools/${"a".repeat(150)}/etcd`, record = ` path=${long}\n`;
  const pax = `${record.length + 3}${record}`;
  for (const header of [{ path: "x", type: "L", content: `${long}\0` }, { path: "x", type: "x", content: pax }]) {
    assert.deepEqual(await entriesOf(rawTar([header, { path: "tools/aaa", content: "one" }, { path: "b" }])), [
      [long, true, "one"],
      ["b", true, ""],
    ]);
  }
});

Deno.test("the unread rest of an entry is skipped", async () => {
  const paths: string[] = [];
  const archive = rawTar([{ path: "a", content: "x".repeat(3_000) }, { path: "b", content: "y" }]);
  for await (const { path, content } of readTar(streamOf(archive))) {
    paths.push(path);
    if (path === "a") { for await (const _ of content) break; }
  }
  assert.deepEqual(paths, ["a", "b"]);
});

for (const path of ["../etcd", "tools/../../etcd", "/etc/etcd", "tools/..", "..\\etcd", "C:\\etcd"]) {
  Deno.test(`a path that leads out of the folder is refused: ${path}`, async () => {
    await assert.rejects(entriesOf(rawTar([{ path, content: "x" }])), {
      name: "TarError",
      message: `it has a path that leads out of its folder: ${JSON.stringify(path)}`,
    });
    await assert.rejects(entriesOf(rawTar([{ path: "x", type: "L", content: path }, { path: "a" }])), {
      name: "TarError",
    });
  });
}

Deno.test("an archive that is cut off anywhere is refused, and so is what is none", async () => {
  const whole = rawTar([{ path: "a", content: "x".repeat(700) }]);
  for (const size of [0, 1, 511, 512, 600, 1_535]) {
    await assert.rejects(entriesOf(whole.slice(0, size)), { name: "TarError", message: "it is cut off" });
  }
  await assert.rejects(entriesOf(new TextEncoder().encode("no archive ".repeat(100))), {
    name: "TarError",
    message: "it is not a tar archive",
  });
});

Deno.test("bytes of any kind end in entries or a TarError", async () => {
  const archive = rawTar([{ path: "tools/etcd", content: "x".repeat(600) }, { path: "b" }]);
  await fc.assert(
    fc.asyncProperty(fc.nat(archive.length - 1), fc.nat(255), async (at, byte) => {
      const changed = archive.slice();
      changed[at] = byte;
      await entriesOf(changed).catch((error) => assert.equal(error.name, "TarError"));
    }),
    { numRuns: 300 },
  );
});
