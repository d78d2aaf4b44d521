import { cli, text } from "@pintle/pintle/cli";
import { askByHttp } from "./answers.ts";
import { httpDns } from "./dns.ts";
import { operator } from "./operator.ts";

const settings = {
  dnsUrl: text({
    env: "PINTLE_DNS_URL",
    flag: "dns-url",
    default: "",
    description: "Address of the DNS registry; no host is registered if empty",
  }),
};

if (import.meta.main) {
  Deno.exitCode = await cli(
    ({ dnsUrl }) => operator({ dns: dnsUrl === "" ? undefined : httpDns(dnsUrl), ask: askByHttp }),
    {
      name: "web-app",
      version: "0.1.0",
      root: import.meta.dirname,
      settings,
      suites: async () => (await import("./tests/suites.ts")).suites,
      args: Deno.args,
      env: Deno.env.toObject(),
    },
  );
}
