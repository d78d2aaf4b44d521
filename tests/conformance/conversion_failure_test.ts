import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { CertificateAuthority } from "../../lib/apiserver/mod.ts";
import { type Answer, type Case, conformance } from "./conformance_case.ts";
import { ConversionServer, CRDS, type Json, type Lie, MODE } from "./conversion_server.ts";
import { WebhookServer } from "./webhook_server.ts";

/** Registers a case about one door `a`, stored as v1, whose webhook fails. */
function failing(claim: string, run: (doors: ConversionServer, test: Case) => Promise<void>): void {
  conformance(claim, async (test) => {
    await using doors = await ConversionServer.open(test);
    await doors.make("v1", "a", { host: "h", port: 1 });
    await run(doors, test);
    doors.lie = undefined;
  });
}

const refusal: Lie = (request) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "ConversionReview",
  response: { uid: request.uid, result: { status: "Failure", message: "no way" } },
});

/** A lie about the answer's `response`. */
const response = (edit: (response: Json) => void): Lie => (_request, truth) => {
  edit(truth.response);
  return truth;
};

/** A lie about each converted object. */
const each = (edit: (door: Json) => void): Lie => response(({ convertedObjects }) => convertedObjects.forEach(edit));

/** The words of a failed read after those that say which object cannot be decoded. */
function why({ code, body }: Answer): string {
  assert.deepEqual([code, body.kind, body.reason], [500, "Status", "InternalError"], JSON.stringify(body));
  const [start, rest] = body.message.split(/ revision=\d+: /);
  assert.match(
    start,
    /^Internal error occurred: StorageError: corrupt object, Code: 7, Key: \/\S+\/doors\/\S+\/a, ResourceVersion: 0, AdditionalErrorMsg: object not decodable$/,
  );
  assert.equal(body.details.causes[0].message, body.message.slice("Internal error occurred: ".length));
  return rest;
}

// FR-92
failing("an answer that is none fails the read, in words that say what is wrong with it", async (doors, test) => {
  const review = { apiVersion: "apiextensions.k8s.io/v1", kind: "ConversionReview" };
  const lies: [Lie, RegExp][] = [
    [() => "yes", / failed: couldn't get version\/kind; json parse error/],
    [() => "[]", / failed: couldn't get version\/kind; json parse error/],
    [
      () => ({}),
      / failed: expected webhook response of apiextensions.k8s.io\/v1, Kind=ConversionReview, got \/, Kind=$/,
    ],
    [() => review, / failed: no response provided$/],
    [response((said) => said.uid = "no"), / failed: expected response.uid="[-0-9a-f]{36}", got "no"$/],
    [response((said) => delete said.result), / failed: response.result.status was '', not 'Success'$/],
    [
      response((said) => said.result = { status: "Failure" }),
      / failed: response.result.status was 'Failure', not 'Success'$/,
    ],
    [refusal, / failed: no way$/],
    [
      () => new Response("oops", { status: 500 }),
      / failed: an error on the server \("oops"\) has prevented the request/,
    ],
    [() => new Response("", { status: 404 }), / failed: the server could not find the requested resource$/],
    [() => new Response("", { status: 400 }), / failed: the server rejected our request for an unknown reason$/],
    [response((said) => said.convertedObjects = []), / returned 0 objects, expected 1$/],
    [response((said) => said.convertedObjects.push({})), / returned 2 objects, expected 1$/],
    [
      each((door) => door.apiVersion = "x/v9"),
      / returned invalid object at index 0: invalid groupVersion \(expected \S+\/v2, received x\/v9\)$/,
    ],
    [
      each((door) => door.kind = "Wall"),
      / returned invalid object at index 0: invalid kind \(expected Door, received Wall\)$/,
    ],
    [each((door) => door.metadata.name = "z"), / returned invalid object: must have the same name: a != z$/],
    [each((door) => delete door.metadata), / returned invalid object: must have the same name: a != $/],
    [
      each((door) => door.metadata.namespace = "z"),
      / returned invalid object: must have the same namespace: \S+ != z$/,
    ],
    [each((door) => door.metadata.uid = "z"), / returned invalid object: must have the same UID: \S+ != z$/],
    [
      each((door) => door.metadata.labels = { "-x": "y" }),
      / returned invalid metadata: metadata.labels: Invalid value: "-x"/,
    ],
    [
      each((door) => door.metadata.labels = { x: 1 }),
      / returned invalid metadata: metadata.labels\[x\] must be a string, but is int64 in converted object$/,
    ],
    [
      each((door) => door.metadata.labels = ["x"]),
      / returned invalid metadata: invalid metadata.labels of type \[\]interface {} in converted object$/,
    ],
    [
      each((door) => door.metadata.annotations = { "-x": "y" }),
      / returned invalid metadata: metadata.annotations?: Invalid value: "-x"/,
    ],
  ];
  for (const [lie, wanted] of lies) {
    doors.lie = lie;
    const said = why(await test.get(doors.path("v2", "a")));
    assert.match(said, wanted);
    assert.ok(said.startsWith(`conversion webhook for ${doors.group}/v1, Kind=Door `), said);
  }
});

failing("what a webhook has no say in is as it was, and what no schema knows is left out", async (doors, test) => {
  const before = (await doors.read("v2", "a")).metadata;
  doors.lie = each((door) => {
    door.unknown = 1;
    door.spec.unknown = 1;
    Object.assign(door.metadata, {
      labels: { a: "b" },
      annotations: null,
      finalizers: ["x.example.com/y"],
      generation: 77,
      resourceVersion: "1",
      managedFields: [],
      ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "a", uid: "u" }],
    });
  });
  const { body } = await test.get(doors.path("v2", "a"));
  assert.deepEqual(body.metadata, { ...before, labels: { a: "b" } });
  assert.deepEqual(Object.keys(body).sort(), ["apiVersion", "kind", "metadata", "spec"]);
  assert.deepEqual(body.spec, { address: "h:1" });
});

failing(
  "a webhook that cannot be reached, or that another authority vouches for, fails the read",
  async (doors, test) => {
    await doors.stop();
    assert.match(
      why(await test.get(doors.path("v2", "a"))),
      /^conversion webhook for \S+\/v1, Kind=Door failed: Post "https:\/\/127.0.0.1:\d+\/convert\?timeout=30s": /,
    );
    doors.start();
    assert.equal((await test.get(doors.path("v2", "a"))).code, 200);
    const foreign = Buffer.from(new CertificateAuthority(Date.now()).certificate).toString("base64");
    await doors.change((spec) => spec.conversion.webhook.clientConfig.caBundle = foreign);
    const asked = doors.reviews.length;
    assert.match(why(await test.get(doors.path("v2", "a"))), / failed: Post "https:/);
    assert.equal(doors.reviews.length, asked, "it was told nothing");
  },
);

// FR-92
failing("a write that cannot be converted is not done, and says so", async (doors, test) => {
  await doors.read("v2", "a");
  assert.equal((await test.get(doors.path("v2"))).code, 200);
  doors.lie = refusal;
  const made = await test.post(doors.path("v2"), doors.door("v2", "b", { address: "h:1" }));
  assert.equal(made.code, 500);
  assert.equal(made.body.message, `conversion webhook for ${doors.group}/v2, Kind=Door failed: no way`);
  assert.equal(made.body.reason, undefined);
  assert.equal((await test.get(doors.path("v1", "b"))).code, 404);
  const patched = await test.patch(doors.path("v2", "a"), "merge", { spec: { address: "h:2" } });
  assert.deepEqual([patched.code, patched.body.message], [made.code, made.body.message]);
  assert.match(why(await test.delete(doors.path("v2", "a"))), / failed: no way$/);
  assert.deepEqual((await doors.read("v1", "a")).spec, { host: "h", port: 1 });
  assert.equal((await test.delete(doors.path("v1", "a"))).code, 200, "its own version needs no converter");
});

failing("a list of what cannot be converted names each object", async (doors, test) => {
  doors.lie = refusal;
  await doors.make("v1", "b", { host: "h", port: 2 });
  // A real server goes on showing what it converted before, until it notices.
  let list = await test.get(doors.path("v2"));
  for (let asked = 0; list.code === 200 && asked < 5_000; asked++) list = await test.get(doors.path("v2"));
  assert.deepEqual([list.code, list.body.reason], [500, "StorageReadError"]);
  assert.match(
    list.body.message,
    /^failed to read one or more doors\.\S+ from the storage: StorageError: corrupt object/,
  );
  assert.match(list.body.message, /conversion webhook for \S+\/v1, Kind=Door failed: no way \(and 1 more\)$/);
  const { name, kind, causes } = list.body.details;
  assert.deepEqual([name, kind], ["list", "doors"]);
  const place = `/registry/${doors.group}/doors/${test.namespace}`;
  assert.deepEqual(causes.map(({ field }: Json) => field), [`${place}/a`, `${place}/b`]);
  doors.lie = undefined;
  for (let asked = 0; list.code !== 200 && asked < 5_000; asked++) list = await test.get(doors.path("v2"));
  assert.deepEqual(list.body.items.map(({ spec }: Json) => spec.address), ["h:1", "h:2"]);
});

// FR-92
failing("a watch waits for a webhook that fails, and then goes on in order", async (doors, test) => {
  const { body } = await test.get(doors.path("v2"));
  const query = `watch=1&resourceVersion=${body.metadata.resourceVersion}&timeoutSeconds=60`;
  await using watch = await test.watch(`${doors.path("v2")}?${query}`);
  const asked = Promise.withResolvers<void>();
  doors.lie = (request, truth) => {
    asked.resolve();
    return refusal(request, truth);
  };
  await doors.make("v1", "b", { host: "h", port: 2 });
  await test.patch(doors.path("v1", "b"), "merge", { spec: { port: 3 } });
  const next = watch.next();
  await asked.promise;
  doors.lie = undefined;
  const first = await next;
  assert.deepEqual([first!.type, first!.object.spec.address], ["ADDED", "h:2"]);
  const second = await watch.next();
  assert.deepEqual([second!.type, second!.object.spec.address], ["MODIFIED", "h:3"]);
});

failing(
  "a definition that changes ends the watches of what it defines, and later ones obey it",
  async (doors, test) => {
    const follow = async () => {
      const { code, body } = await doors.list("v2");
      assert.equal(code, 200, JSON.stringify(body));
      return await test.watch(
        `${doors.path("v2")}?watch=1&resourceVersion=${body.metadata.resourceVersion}&timeoutSeconds=60`,
      );
    };
    await using watch = await follow();
    await doors.change((spec) => delete spec.versions[1].schema.openAPIV3Schema.properties.spec.properties.mode);
    assert.equal(await watch.next(), undefined);
    await using later = await follow();
    await doors.make("v1", "b", { host: "h", port: 2 }, { annotations: { [MODE]: "shut" } });
    const event = await later.next();
    assert.deepEqual([event!.object.metadata.name, event!.object.spec], ["b", { address: "h:2" }]);
  },
);

failing("an account of fields that cannot be kept does not refuse an update, but an apply", async (doors, test) => {
  await doors.apply("v2", "a", "two", { mode: "shut" });
  const before = await doors.read("v1", "a");
  doors.lie = refusal;
  const patched = await test.patch(doors.path("v1", "a"), "merge", { spec: { port: 9 } });
  assert.deepEqual([patched.code, patched.body.spec.port], [200, 9]);
  assert.deepEqual(patched.body.metadata.managedFields, before.metadata.managedFields);
  const applied = await doors.apply("v1", "a", "one", { replicas: 2 });
  assert.equal(applied.code, 500);
  assert.match(applied.body.message, /conversion webhook for \S+\/v1, Kind=Door failed: no way$/);
});

failing("an admission webhook for another version is not asked where that cannot be shown", async (doors, test) => {
  await using hooks = new WebhookServer(test);
  const rules = [{ apiGroups: [doors.group], apiVersions: ["v1"], operations: ["*"], resources: ["doors"] }];
  const hook = hooks.webhook("seen", () => undefined, { rules, failurePolicy: "Ignore" });
  const until = async () => {
    await test.post(`${doors.path("v1")}?dryRun=All`, doors.door("v1", "early", { host: "h" }));
    return hooks.seen.length > 0;
  };
  await hooks.install("validating", [hook], { until });
  hooks.seen.length = 0;
  doors.lie = refusal;
  const made = await test.post(doors.path("v2"), doors.door("v2", "b", { address: "h:1" }));
  assert.deepEqual([made.code, made.body.reason, hooks.seen], [500, "InternalError", []]);
  assert.match(
    made.body.message,
    /^Internal error occurred: .*conversion webhook for \S+\/v2, Kind=Door failed: no way$/,
  );
  assert.equal((await test.post(doors.path("v1"), doors.door("v1", "b", { host: "h" }))).code, 201);
});

// FR-92
conformance("a definition that no server could obey is refused, field by field", async (test) => {
  await using doors = await ConversionServer.open(test);
  const { webhook } = doors.conversion(), { clientConfig } = webhook, service = { name: "a", namespace: "b" };
  const asking = (more: Json) => ({ strategy: "Webhook", webhook: { ...webhook, ...more } });
  const at = (config: Json) => asking({ clientConfig: config });
  const client = "spec.conversion.webhookClientConfig", versions = "spec.conversion.conversionReviewVersions";
  const cases: [Json, string[]][] = [
    [{}, ["spec.conversion.strategy"]],
    [{ strategy: "Magic" }, ["spec.conversion.strategy"]],
    [{ strategy: "Webhook" }, [client, versions]],
    [{ strategy: "Webhook", webhook: { clientConfig } }, [versions]],
    [{ strategy: "Webhook", webhook: { conversionReviewVersions: ["v1"] } }, [client]],
    [{ strategy: "None", webhook }, [client, versions]],
    [asking({ conversionReviewVersions: [] }), [versions]],
    [asking({ conversionReviewVersions: ["v7"] }), [versions]],
    [asking({ conversionReviewVersions: ["v1", "v1", "V!"] }), [`${versions}[1]`, `${versions}[2]`]],
    [at({}), [client]],
    [at({ url: "https://a/b", service }), [client]],
    [at({ url: "http://a/b" }), [`${client}.url`]],
    [at({ url: "" }), [`${client}.url`, `${client}.url`]],
    [at({ url: "https://u:p@a/b?x=y#f" }), [`${client}.url`, `${client}.url`, `${client}.url`]],
    [
      at({ service: { name: "", namespace: "", port: 70_000 } }),
      ["name", "namespace", "port"].map((field) => `${client}.service.${field}`),
    ],
    [at({ service: { ...service, path: "x" } }), [`${client}.service.path`, `${client}.service.path`]],
    [at({ service: { ...service, path: "/x//Y" } }), [`${client}.service.path`, `${client}.service.path`]],
  ];
  const other = (conversion: Json) => {
    const definition = doors.definition({ conversion });
    definition.spec.group = `other-${doors.group}`;
    definition.metadata.name = `doors.${definition.spec.group}`;
    return definition;
  };
  for (const [wrong, fields] of cases) {
    const refused = await test.post(`${CRDS}?dryRun=All`, other(wrong));
    assert.equal(refused.code, 422, JSON.stringify(wrong));
    assert.deepEqual(refused.body.details.causes.map(({ field }: Json) => field).sort(), fields.toSorted());
  }
  const unpruned = other(doors.conversion());
  unpruned.spec.preserveUnknownFields = true;
  const refused = await test.post(`${CRDS}?dryRun=All`, unpruned);
  assert.match(
    refused.body.message,
    /spec.conversion.strategy: Invalid value: "Webhook": must be None if spec.preserve/,
  );
  const known = await test.post(`${CRDS}?dryRun=All`, other(at({ service })));
  assert.deepEqual(known.body.spec.conversion.webhook.clientConfig, { service: { ...service, port: 443 } });
  const { body } = await test.get(doors.crd);
  body.spec.conversion.webhook.clientConfig.caBundle = btoa("nonsense");
  const spoilt = await test.put(`${doors.crd}?dryRun=All`, body);
  assert.deepEqual([spoilt.code, spoilt.body.details.causes[0].field], [422, `${client}.caBundle`]);
});
