import assert from "node:assert/strict";
import { silentLogger, VirtualClock } from "../../lib/base/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { ServedStatus } from "../../lib/controller/status_shape.ts";
import { answer, refuse, ScriptedTransport, WIDGETS } from "../client/scripted_transport.ts";

const WITHOUT_FIELDS = answer({
  components: {
    schemas: {
      Widget: {
        "x-kubernetes-group-version-kind": [{ group: WIDGETS.group, version: WIDGETS.version, kind: WIDGETS.kind }],
        properties: { status: { properties: { phase: {} } } },
      },
    },
  },
});

// FR-388
Deno.test("a schema that is not published is requested once a minute, and then what it lacks is left out", async () => {
  const clock = new VirtualClock(), transport = new ScriptedTransport(refuse(404, "NotFound"));
  const client = new Client(transport, { fieldManager: "test", clock, retriesMax: 0 });
  const served = new ServedStatus(WIDGETS, ["conditions"], clock);
  for (let pass = 0; pass < 3; pass++) {
    assert.deepEqual((await served.shape(client, silentLogger)).conditions, ["conditions"]);
  }
  assert.equal(transport.seen.length, 1);
  await clock.advance(60_000);
  transport.then(WITHOUT_FIELDS);
  for (let pass = 0; pass < 3; pass++) {
    assert.equal((await served.shape(client, silentLogger)).conditions, undefined);
  }
  assert.deepEqual(transport.seen.map(({ path }) => path), Array(2).fill("/openapi/v3/apis/shop.example.com/v1"));
});

// FR-388
Deno.test("after a refused status a schema that was not published is requested at once", async () => {
  const clock = new VirtualClock(), transport = new ScriptedTransport(refuse(404, "NotFound"), WITHOUT_FIELDS);
  const client = new Client(transport, { fieldManager: "test", clock, retriesMax: 0 });
  const served = new ServedStatus(WIDGETS, ["conditions"], clock);
  await served.shape(client, silentLogger);
  served.forget();
  assert.equal((await served.shape(client, silentLogger)).conditions, undefined);
  assert.equal(transport.left, 0);
});

// FR-388
Deno.test("passes at the same time all get the schema that is read, and no answer is not remembered", async () => {
  const clock = new VirtualClock(), broken = () => Promise.reject(new TypeError("connection reset"));
  const transport = new ScriptedTransport(broken, WITHOUT_FIELDS, WITHOUT_FIELDS);
  const client = new Client(transport, { fieldManager: "test", clock, retriesMax: 0 });
  const served = new ServedStatus(WIDGETS, ["conditions"], clock);
  assert.deepEqual((await served.shape(client, silentLogger)).conditions, ["conditions"]);
  const shapes = await Promise.all([served.shape(client, silentLogger), served.shape(client, silentLogger)]);
  assert.deepEqual(shapes.map(({ conditions }) => conditions), [undefined, undefined]);
});
