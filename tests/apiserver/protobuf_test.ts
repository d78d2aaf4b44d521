import assert from "node:assert/strict";
import { protobufToJson } from "../../lib/apiserver/protobuf.ts";

/** Writes the wire format: just what these tests need. */
function bytesField(number: number, content: Uint8Array | string): Uint8Array {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return concat(Uint8Array.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes);
}

function varintField(number: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(number * 8), ...varint(value)]);
}

function varint(value: number): number[] {
  const groups: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  for (; left > 0x7fn; left >>= 7n) groups.push(Number(left & 0x7fn) | 0x80);
  return [...groups, Number(left)];
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function envelope(apiVersion: string, kind: string, message: Uint8Array): Uint8Array {
  const meta = concat(bytesField(1, apiVersion), bytesField(2, kind));
  return concat(new TextEncoder().encode("k8s\0"), bytesField(1, meta), bytesField(2, message));
}

async function decoded(apiVersion: string, kind: string, ...fields: Uint8Array[]) {
  return JSON.parse(await protobufToJson(envelope(apiVersion, kind, concat(...fields))));
}

// FR-5
Deno.test("a message becomes the JSON that Go would write of it", async () => {
  // Name and an empty generateName, as Go writes every plain field; the creation time is the zero one.
  const metadata = concat(bytesField(1, "a"), bytesField(2, ""), varintField(7, 0), bytesField(8, ""));
  const label = bytesField(11, concat(bytesField(1, "k"), bytesField(2, "v")));
  const data = bytesField(2, concat(bytesField(1, "x"), bytesField(2, "")));
  const binary = bytesField(3, concat(bytesField(1, "y"), bytesField(2, Uint8Array.from([0xff]))));
  const immutable = varintField(4, 0);
  assert.deepEqual(
    await decoded("v1", "ConfigMap", bytesField(1, concat(metadata, label)), data, binary, immutable),
    {
      kind: "ConfigMap",
      apiVersion: "v1",
      metadata: { name: "a", labels: { k: "v" } },
      data: { x: "" },
      binaryData: { y: "/w==" },
      immutable: false,
    },
  );
});

Deno.test("quantities, int-or-strings, embedded structs and pointers keep their meaning", async () => {
  const limit = bytesField(1, concat(bytesField(1, "cpu"), bytesField(2, bytesField(1, "500m"))));
  const handler = bytesField(
    2,
    concat(bytesField(1, "/ok"), bytesField(2, concat(varintField(1, 1), bytesField(3, "web")))),
  );
  const probe = bytesField(10, concat(bytesField(1, handler), varintField(2, 0)));
  const container = concat(bytesField(1, "c"), bytesField(8, limit), probe);
  const volume = concat(bytesField(1, "v"), bytesField(2, bytesField(6, bytesField(1, "s"))));
  const spec = concat(bytesField(1, volume), bytesField(2, container), varintField(4, 0));
  const pod = await decoded("v1", "Pod", bytesField(2, spec));
  assert.deepEqual(pod.spec, {
    volumes: [{ name: "v", secret: { secretName: "s" } }],
    containers: [{
      name: "c",
      resources: { limits: { cpu: "500m" } },
      livenessProbe: { httpGet: { path: "/ok", port: "web" } },
    }],
    // A pointer to zero is not an absent field.
    terminationGracePeriodSeconds: 0,
  });
});

Deno.test("negative numbers and times are read", async () => {
  const time = varintField(1, 1_767_225_600);
  const options = await decoded("v1", "DeleteOptions", varintField(1, -1));
  assert.equal(options.gracePeriodSeconds, -1);
  const pod = await decoded("v1", "Pod", bytesField(1, concat(bytesField(1, "p"), bytesField(9, time))));
  assert.equal(pod.metadata.deletionTimestamp, "2026-01-01T00:00:00Z");
});

Deno.test("unknown fields are passed over", async () => {
  const more = concat(varintField(900, 5), bytesField(901, "x"), bytesField(1, bytesField(1, "a")));
  assert.equal((await decoded("v1", "ConfigMap", more)).metadata.name, "a");
});

Deno.test("what is no message, ends early, nests without end or has no known kind is a bad request", async () => {
  const refuses = async (bytes: Uint8Array, why: RegExp) =>
    await assert.rejects(protobufToJson(bytes), (error: Error) => why.test(error.message));
  await refuses(new TextEncoder().encode("{}"), /does not appear to be a protobuf message/);
  await refuses(envelope("v1", "Nothing", new Uint8Array()), /no kind "Nothing" is registered for version "v1"/);
  await refuses(envelope("v1", "ConfigMap", Uint8Array.from([0x0a, 0x7f])), /ends inside a field/);
  await refuses(envelope("v1", "ConfigMap", Uint8Array.from([0x0b])), /wire type 3 does not fit/);
  let schema: Uint8Array = new Uint8Array();
  // JSONSchemaProps.not, field 28, in itself.
  for (let depth = 0; depth < 200; depth++) schema = bytesField(28, schema);
  const version = bytesField(7, concat(bytesField(1, "v1"), bytesField(4, bytesField(1, schema))));
  const crd = envelope("apiextensions.k8s.io/v1", "CustomResourceDefinition", bytesField(2, version));
  await refuses(crd, /nested deeper than 100/);
});
