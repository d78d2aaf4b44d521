// The first of two certificates is taken for both: a crash between them leaves one missing forever (K8SPXC-897).
import { defineResource, Operator, Secret } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";

const Site = defineResource({
  group: "sites.example.com",
  version: "v1",
  kind: "TlsSite",
  spec: z.object({ host: z.string().min(1) }),
  status: z.object({ certificates: z.int().optional() }),
});

const certificate = (host: string) => ({ "tls.crt": btoa(`certificate of ${host}`) });

function operator(isFixed: boolean): Operator {
  const made = new Operator("certified-sites");
  made.on(Site).reconcile(async ({ name, namespace, spec, cached, apply, status }) => {
    const outer = `${name}-tls`, inner = `${name}-tls-internal`;
    const known = cached(Secret).get({ namespace, name: outer });
    if (!known || isFixed) {
      await apply(Secret, { metadata: { name: outer }, data: certificate(spec.host) });
      await apply(Secret, { metadata: { name: inner }, data: certificate(`internal.${spec.host}`) });
    }
    status.set({ certificates: 2 });
  }, { owns: [Secret] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("second_certificate", () => operator(isFixed));
  suite.scenario("a site has two certificates", async ({ given, then, cluster, expect, ref }) => {
    await given("a site", () => cluster.create(Site, { metadata: { name: "www" }, spec: { host: "www.example.com" } }));
    await then("it is ready", () => expect(ref(Site, "www")).toHaveCondition("Ready"));
    await then("it has a certificate", () => expect(ref(Secret, "www-tls")).toExist());
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
