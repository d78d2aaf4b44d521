// FR-296
import assert from "node:assert/strict";
import { Binary } from "./binary.ts";

/** A server that is up, and no API server. */
class WebServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(answer: () => Response) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

async function runAgainst(
  server: string,
  args: readonly string[],
): Promise<{ code: number; err: string; out: string }> {
  const folder = await Deno.makeTempDir();
  const config = {
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "k" } }],
    clusters: [{ name: "k", cluster: { server } }],
  };
  try {
    await Deno.writeTextFile(`${folder}/config`, JSON.stringify(config));
    await using binary = await Binary.start([...args, "--kubeconfig", `${folder}/config`], {
      env: { PINTLE_REQUEST_RETRIES_MAX: "0" },
    });
    return await binary.ended();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const [command, ...args] of [["run", "--http-port", "0"], ["install"], ["doctor"]]) {
  Deno.test(`${command} says in one line, with its URL, that a server is not Kubernetes`, async () => {
    const html = { headers: { "content-type": "text/html" } };
    await using server = new WebServer(() => new Response("<html>\n<body>Welcome</body>\n</html>", html));
    const { code, err } = await runAgainst(server.url, [command!, ...args]);
    assert.equal(code, 3, err);
    const lines = err.trim().split("\n");
    assert.equal(lines.length, 1, err);
    assert.ok(lines[0]!.includes(`${server.url} does not respond like a Kubernetes API server`), err);
    assert.match(lines[0]!, /check its address in the kubeconfig, and that no proxy or login page is between$/);
  });
}
