import assert from "node:assert/strict";
import { ConnectProxy } from "../client/connect_proxy.ts";
import { InstalledCluster } from "./installed_cluster.ts";

/** A name of every API server, which only a proxy can resolve here. */
const SERVER = "https://kubernetes.default.svc:443";
/** A proxy that is not there. */
const NOBODY = "http://ada:s3cret@127.0.0.1:1";

// FR-127
Deno.test("an operator works through the proxy of its environment, and names it without the password", async () => {
  await using cluster = await InstalledCluster.open();
  const home = await cluster.namespace("home"), team = await cluster.namespace("team");
  const { port, kubeconfig } = await cluster.addressed(SERVER);
  await using proxy = new ConnectProxy(port, "ada:s3cret");
  await using operator = await cluster.start(["run", "--http-port", "0"], {
    env: {
      KUBECONFIG: kubeconfig,
      HTTPS_PROXY: proxy.url(),
      NO_PROXY: "10.96.0.0/12,.cluster.local",
      DENO_NO_UPDATE_CHECK: "1",
    },
  });
  await operator.until(
    /starting .*server=https:\/\/kubernetes\.default\.svc:443 .*proxy=.*\*\*\*@127\.0\.0\.1:\d+ \(HTTPS_PROXY\)/,
  );
  await operator.until(/operator runs/);
  await cluster.replicate("settings", home, team);
  await cluster.untilCopied("settings", team);
  operator.kill("SIGTERM");
  const { code, out, err } = await operator.ended();
  assert.equal(code, 0);
  assert.doesNotMatch(out + err, /s3cret/);
  assert.deepEqual(new Set(proxy.targets), new Set(["kubernetes.default.svc:443"]));
});

// FR-127
Deno.test("where NO_PROXY leaves the API server out, or it is on this machine, a proxy that is down does not matter", async () => {
  await using cluster = await InstalledCluster.open();
  for (const NO_PROXY of ["10.0.0.0/8, 127.0.0.0/8", "*", ""]) {
    await using operator = await cluster.start(["run", "--http-port", "0"], { env: { HTTPS_PROXY: NOBODY, NO_PROXY } });
    await operator.until(/operator runs/);
    operator.kill("SIGTERM");
    const { code, out } = await operator.ended();
    assert.equal(code, 0, NO_PROXY);
    assert.doesNotMatch(out, /proxy=/);
  }
});

// FR-127
Deno.test("a proxy that is down, requires a password or refuses a tunnel ends a command with 3, and is named without its password", async () => {
  await using cluster = await InstalledCluster.open({ install: false });
  const { port, kubeconfig } = await cluster.addressed(SERVER);
  await using proxy = new ConnectProxy(port, "ada:s3cret");
  const told = async (HTTPS_PROXY: string, message: RegExp, fix: RegExp) => {
    const { code, out, err } = await cluster.run(["run", "--http-port", "0"], {
      env: { KUBECONFIG: kubeconfig, HTTPS_PROXY, PINTLE_REQUEST_RETRIES_MAX: "0" },
    });
    assert.equal(code, 3, err);
    assert.match(err, message);
    assert.match(err, fix);
    assert.doesNotMatch(out + err, /s3cret/);
  };
  const named =
    "cannot be reached through the proxy http:\\/\\/\\*\\*\\*@127\\.0\\.0\\.1:\\d+ \\(HTTPS_PROXY\\): the proxy";
  await told(NOBODY, new RegExp(`${named} refused the connection`), /fix: check that it runs, or leave the server out/);
  await told(proxy.url("ada:s3cret-of-old"), new RegExp(`${named} requires a user`), /fix: put them into its address/);
  proxy.refuses = "403 Forbidden";
  await told(proxy.url(), new RegExp(`${named} refuses to connect to it`), /fix: ask its administrator/);
});

// FR-127
Deno.test("a proxy variable that is not an address ends a command before anything starts, and is not quoted", async () => {
  await using cluster = await InstalledCluster.open({ install: false });
  const { kubeconfig } = await cluster.addressed(SERVER);
  const { code, err } = await cluster.run(["run"], {
    env: { KUBECONFIG: kubeconfig, HTTPS_PROXY: "ftp://ada:s3cret@proxy" },
  });
  assert.equal(code, 2, err);
  assert.match(err, /HTTPS_PROXY is not an address of a proxy\n {2}fix: write it as http:\/\/HOST:PORT/);
  assert.doesNotMatch(err, /s3cret/);
});

// FR-127
Deno.test("the proxy-url of a kubeconfig is used whatever NO_PROXY contains", async () => {
  await using cluster = await InstalledCluster.open();
  const { port, kubeconfig } = await cluster.addressed(SERVER);
  await using proxy = new ConnectProxy(port);
  const config = JSON.parse(await Deno.readTextFile(kubeconfig));
  config.clusters[0].cluster["proxy-url"] = proxy.url();
  await Deno.writeTextFile(kubeconfig, JSON.stringify(config));
  const { code, out, err } = await cluster.run(["plan"], { env: { KUBECONFIG: kubeconfig, NO_PROXY: "*" } });
  assert.equal(code, 0, out + err);
  assert.ok(proxy.targets.length > 0);
});
