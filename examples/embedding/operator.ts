// Embedding: an operator is a part of a program of one's own, which starts it, asks how it is, and stops it.
// Try it: deno run -A examples/embedding/operator.ts   (with a kubeconfig, and the CRD of examples/minimal installed)
import { type Operator, type RunningOperator } from "@pintle/pintle";
import { connect, proxyVariables, SystemClock, type Transport } from "@pintle/pintle/client";
import { operator } from "../minimal/operator.ts";

/** A program that serves `/` and works as an operator meanwhile. */
export class Application implements AsyncDisposable {
  readonly #running: RunningOperator;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor(running: RunningOperator, server: Deno.HttpServer<Deno.NetAddr>) {
    this.#running = running;
    this.#server = server;
  }

  /** Starts both; where the operator cannot start, nothing is left running. */
  static async start(declared: Operator, transport: Transport, signal?: AbortSignal): Promise<Application> {
    const running = await declared.start({ transport, signal });
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
      return Response.json({ state: running.state, busy: !running.idle });
    });
    return new Application(running, server);
  }

  /** Where it serves. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  /** Lets handlers finish for ten seconds, then ends them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.stop(10_000);
    await this.#server.shutdown();
  }
}

if (import.meta.main) {
  const env = Deno.env.toObject(), { KUBECONFIG: kubeconfig, HOME: home } = env;
  const { transport } = await connect({ clock: new SystemClock(), kubeconfig, home, proxies: proxyVariables(env) });
  await using application = await Application.start(operator(), transport);
  const interrupted = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGINT", interrupted.resolve);
  await Deno.stdout.write(new TextEncoder().encode(`${application.url} says how it is; Ctrl-C ends it\n`));
  await interrupted.promise;
}
