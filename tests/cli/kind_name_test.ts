import assert from "node:assert/strict";
import { kindOf } from "../../lib/cli/kind_name.ts";

const KINDS: Readonly<Record<string, string>> = {
  "shop": "Shop",
  "shop-operator": "Shop",
  "shop-things": "ShopThings",
  "shop-controller": "Shop",
  "dns-record-controller-manager": "DnsRecord",
  "my-operator": "My",
  "operator": "Widget",
  "controller-operator": "Widget",
  "3d-printer": "DPrinter",
  "42": "Widget",
  "4-2": "Widget",
  "a": "A",
  "a--b": "AB",
  "new-operator": "New",
  "class": "Class",
  "secret-operator": "SecretResource",
  "config-map": "ConfigMap".concat("Resource"),
  "map-operator": "MapResource",
  "event-operator": "EventResource",
  "certificate-authority-rotation": "Certificate",
  "dns-record-sync-for-all-of-our-zones": "DnsRecordSyncFor",
  "sixteen-letters-a": "SixteenLettersA",
  "extraordinarilylong-operator": "Extraordinarilyl",
};
for (const [name, kind] of Object.entries(KINDS)) {
  // FR-432
  Deno.test(`the kind of an operator named ${name} is ${kind}`, () => assert.equal(kindOf(name), kind));
}
