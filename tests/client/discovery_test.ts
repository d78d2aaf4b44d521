import assert from "node:assert/strict";
import { SeededRandom, VirtualClock } from "../../lib/base/mod.ts";
import { Client, discover, discoverAll, MalformedAnswerError } from "../../lib/client/mod.ts";
import { answer, refuse, ScriptedTransport, type Step } from "./scripted_transport.ts";

function clientOf(...steps: Step[]): Client {
  const transport = new ScriptedTransport(...steps);
  return new Client(transport, {
    fieldManager: "x",
    clock: new VirtualClock(),
    random: new SeededRandom(1),
    retriesMax: 0,
  });
}

const widgets = { resource: "widgets", responseKind: { kind: "Widget" }, scope: "Namespaced", verbs: ["list"] };
const groups = (...items: [group: string, version: object][]) => ({
  kind: "APIGroupDiscoveryList",
  items: items.map(([name, version]) => ({ metadata: { name }, versions: [version] })),
});
const CORE = answer(groups(["", { version: "v1", freshness: "Current", resources: [] }]));

// FR-295
Deno.test("a stale version is unknown, with resources or without", async () => {
  const client = clientOf(
    CORE,
    answer(groups(
      ["dead.example.com", { version: "v1", freshness: "Stale" }],
      ["old.example.com", { version: "v2", freshness: "Stale", resources: [widgets] }],
      ["fine.example.com", { version: "v1", freshness: "Current", resources: [widgets] }],
    )),
  );
  const { resources, unknown } = await discoverAll(client);
  assert.deepEqual(resources.map(({ group, plural }) => `${plural}.${group}`), [
    "widgets.old.example.com",
    "widgets.fine.example.com",
  ]);
  assert.deepEqual(unknown, [{ group: "dead.example.com", version: "v1" }, {
    group: "old.example.com",
    version: "v2",
  }]);
});

// FR-295
Deno.test("without aggregated discovery a version whose backend is down or silent is unknown, and a removed one is absent", async () => {
  const versions = ["down", "gone", "mute", "fine"].map((name) => ({ groupVersion: `${name}.example.com/v1` }));
  const list = { resources: [{ name: "widgets", kind: "Widget", verbs: ["list"], namespaced: true }] };
  const steps = () => [
    answer({ kind: "APIVersions", versions: [] }),
    answer({ kind: "APIGroupList", groups: [{ name: "x", versions }] }),
    refuse(503, "ServiceUnavailable"),
    refuse(404, "NotFound"),
    answer({ kind: "APIResourceList" }),
    answer(list),
  ];
  const { resources, unknown } = await discoverAll(clientOf(...steps()));
  assert.deepEqual(resources.map(({ group }) => group), ["fine.example.com"]);
  assert.deepEqual(unknown.map(({ group }) => group), ["down.example.com", "mute.example.com"]);
  assert.equal((await discover(clientOf(...steps()))).length, 1);
});

// FR-295
Deno.test("a response that is not a discovery document is an error, not an empty cluster", async () => {
  const html = () => new Response("<html>login</html>", { headers: { "content-type": "text/html" } });
  const nothing = [html, answer({}), answer({ kind: "APIGroupDiscoveryList" }), answer({ kind: "Status" }), answer([])];
  for (const step of nothing) {
    await assert.rejects(discoverAll(clientOf(step)), MalformedAnswerError);
    await assert.rejects(discoverAll(clientOf(CORE, step)), MalformedAnswerError);
  }
});
