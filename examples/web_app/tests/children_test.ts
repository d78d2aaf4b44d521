import assert from "node:assert/strict";
import { budgetOf, configHash, cronJobOf } from "../children.ts";
import type { WebAppSpec } from "../web_app.ts";

const spec: WebAppSpec = { image: "shop:1", replicas: 2, port: 8080, config: { A: "1", B: "2" } };

Deno.test("the hash follows the configuration and the key, not the order or the image", () => {
  const hash = configHash(spec, "uid-1");
  assert.equal(configHash({ ...spec, image: "shop:2", config: { B: "2", A: "1" } }, "uid-1"), hash);
  assert.notEqual(configHash({ ...spec, config: { A: "1", B: "3" } }, "uid-1"), hash);
  assert.notEqual(configHash(spec, "uid-2"), hash);
});

Deno.test("an app of one pod has no budget, and an app without a job no CronJob", () => {
  assert.equal(budgetOf("shop", { ...spec, replicas: 1 }), undefined);
  assert.equal(budgetOf("shop", spec)?.spec?.maxUnavailable, 1);
  assert.equal(cronJobOf("shop", spec), undefined);
});
