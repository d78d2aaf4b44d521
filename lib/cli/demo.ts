import type { HostedWebhooks } from "../operator/webhook_hosting.ts";
import { type Clock, formatDuration, LinkedAbort, silentLogger, sleep, SystemClock, UsageError } from "../base/mod.ts";
import { keyOf, type KubeObject } from "../apimachinery/mod.ts";
import { Client } from "../client/mod.ts";
import { Journal } from "../controller/mod.ts";
import { serveHealth } from "../health/mod.ts";
import type { DemoScenario, DemoView } from "./demo_scenario.ts";
import { picture, type StepState } from "./demo_picture.ts";
import { EXIT } from "./exit.ts";
import { explainRoute } from "./explain_route.ts";
import { openLiveArea } from "./live_area.ts";
import type { LiveArea } from "../harness/mod.ts";
import type { RunningOperator } from "../operator/mod.ts";
import { Interrupts } from "./interrupts.ts";
import { asOperator, type OpenedCluster, openEmbedded } from "./open_cluster.ts";
import { openWebhooks } from "./webhooks.ts";
import type { CommandContext } from "./command_context.ts";
import { paint, type Terminal } from "./terminal.ts";

interface DemoFlags {
  readonly once?: true | undefined;
  readonly port: string;
  readonly writeKubeconfig?: string | undefined;
}

/** Longest wait for a step to converge; here it takes milliseconds. */
const STEP_MS_MAX = 30_000;
/** Lets a person see each step. */
const PAUSE_MS = 900;

/** `demo`: an API server in this process, the operator, and a scenario step by step. */
export async function demo(context: CommandContext, flags: DemoFlags): Promise<number> {
  const { operator, program, terminal } = context, scenario = context.demo!;
  const port = Number(flags.port);
  if (!/^\d+$/.test(flags.port) || port > 65_535) {
    throw new UsageError(`--port ${flags.port} is not a port`, "use 0 for any free port");
  }
  const clock = new SystemClock();
  const onSecond = () => terminal.out("interrupted again: ended at once");
  using interrupts = new Interrupts({ hangup: true, onSecond });
  const startMs = clock.elapsed();
  await using embedded = await openEmbedded({
    clock,
    logger: silentLogger,
    port,
    kubeconfigPath: flags.writeKubeconfig,
    prerequisites: context.prerequisites,
  });
  terminal.out(`embedded API server ready in ${formatDuration(clock.elapsed() - startMs)}: ${embedded.server}`);
  terminal.out(`kubeconfig: ${embedded.kubeconfigPath}`);
  const cluster = await asOperator(context, embedded, clock), journal = new Journal();
  const client = new Client(embedded.transport, { fieldManager: `${program}-demo`, clock, mask: context.mask });
  const { signal } = interrupts, logger = silentLogger;
  let webhooks: HostedWebhooks | undefined;
  const serve = async (running: RunningOperator) => {
    webhooks = await openWebhooks(context, { cluster, running, clock, logger, leads: () => true, signal });
  };
  await using running = await operator.start({
    transport: cluster.transport,
    clock,
    journal,
    mask: context.mask,
    serve,
    signal,
  });
  await webhooks?.enable();
  const body = new ScenarioBody(scenario, { client, clock, terminal, signal: interrupts.signal });
  try {
    const view = await body.run();
    if (interrupts.signal.aborted && flags.once) return EXIT.interrupted;
    terminal.out(`converged: ${view.current} of ${view.wanted} ${scenario.unit}`);
    if (!flags.once) await stay(context, body, { cluster, client, clock, journal, running: () => running });
    return EXIT.done;
  } catch (error) {
    if (!interrupts.signal.aborted) throw error;
    return flags.once ? EXIT.interrupted : EXIT.done;
  } finally {
    await body.close();
    await webhooks?.close();
  }
}

/** Serves `explain` and shows what a person can try, until Ctrl-C. */
async function stay(
  context: CommandContext,
  body: ScenarioBody,
  { cluster, ...parts }: Pick<Parameters<typeof explainRoute>[0], "client" | "clock" | "journal" | "running"> & {
    readonly cluster: OpenedCluster;
  },
): Promise<void> {
  const { operator, terminal, mask, settings, origins, demo } = context;
  const server = serveHealth({
    host: settings.httpHost,
    port: origins.httpPort?.source === "default" ? 0 : settings.httpPort,
    livez: [],
    readyz: [],
    routes: [explainRoute({ operator: operator.name, mask, ...parts })],
    logger: silentLogger,
    clock: parts.clock,
  });
  try {
    const explain = await explainCommand(context, parts.client);
    terminal.out("");
    terminal.out(paint(terminal, "bold", "It stays up until Ctrl-C. Try:"));
    terminal.out(`  export KUBECONFIG=${cluster.kubeconfigPath}`);
    for (const command of demo!.suggestions) terminal.out(`  ${command}`);
    if (explain) terminal.out(`  ${explain} --http-port ${server.port}`);
    terminal.out("");
    await body.follow();
  } finally {
    await server.close();
  }
}

/** How to `explain` the first object of the operator's kinds, if there is one. */
async function explainCommand({ operator, command }: CommandContext, client: Client): Promise<string | undefined> {
  for (const { kind } of operator.declarations) {
    const { items: [first] } = await client.list<KubeObject>(kind, { limit: 1 });
    if (!first) continue;
    const { namespace, name } = keyOf(first);
    return `${command} explain ${kind.kind.toLowerCase()}/${name}${namespace ? ` -n ${namespace}` : ""}`;
  }
  return undefined;
}

interface ScenarioBodyOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

class ScenarioBody {
  readonly #scenario: DemoScenario;
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #terminal: Terminal;
  readonly #abort: LinkedAbort;
  readonly #watching: Promise<unknown>;
  #steps: StepState[] = [];
  #changed = Promise.withResolvers<void>();
  #area: LiveArea | undefined;

  constructor(scenario: DemoScenario, { client, clock, terminal, signal }: ScenarioBodyOptions) {
    this.#scenario = scenario;
    this.#client = client;
    this.#clock = clock;
    this.#terminal = terminal;
    this.#abort = new LinkedAbort([signal]);
    this.#watching = Promise.all(scenario.watches.map((resource) => this.#watch(resource)));
    this.#abort.signal.addEventListener("abort", () => this.#changed.resolve(), { once: true });
  }

  async run(): Promise<DemoView> {
    if (this.#terminal.interactive) {
      this.#terminal.out("");
      this.#area = await openLiveArea();
    }
    let view = await this.#scenario.observe(this.#client);
    for (const step of this.#scenario.steps) {
      this.#abort.signal.throwIfAborted();
      const startMs = this.#clock.elapsed();
      this.#steps.push({ title: step.title });
      await step.act(this.#client);
      view = await this.#converged(startMs);
      const tookMs = this.#clock.elapsed() - startMs;
      this.#steps[this.#steps.length - 1] = { title: step.title, tookMs };
      this.#show(view);
      if (this.#area) await sleep(this.#clock, PAUSE_MS, this.#abort.signal);
      else {this.#terminal.out(
          `✓ ${step.title}: ${view.current} of ${view.wanted} ${this.#scenario.unit} in ${formatDuration(tookMs)}`,
        );}
    }
    this.#endDrawing();
    return view;
  }

  async follow(): Promise<void> {
    let last = "";
    while (!this.#abort.signal.aborted) {
      const { current, wanted } = await this.#scenario.observe(this.#client);
      const line = `${current} of ${wanted} ${this.#scenario.unit}`;
      if (line !== last && last !== "") this.#terminal.out(line);
      last = line;
      await this.#change();
    }
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#watching;
    this.#endDrawing();
  }

  async #converged(startMs: number): Promise<DemoView> {
    for (;;) {
      this.#abort.signal.throwIfAborted();
      const view = await this.#scenario.observe(this.#client);
      this.#show(view);
      if (view.wanted > 0 && view.current === view.wanted) return view;
      const leftMs = STEP_MS_MAX - (this.#clock.elapsed() - startMs);
      if (leftMs <= 0) {
        throw new Error(`"${this.#steps.at(-1)?.title}" did not converge within ${formatDuration(STEP_MS_MAX)}`);
      }
      const timer = this.#clock.schedule(() => this.#changed.resolve(), leftMs);
      await this.#change();
      this.#clock.clear(timer);
    }
  }

  async #change(): Promise<void> {
    await this.#changed.promise;
    if (!this.#abort.signal.aborted) this.#changed = Promise.withResolvers<void>();
  }

  async #watch(resource: DemoScenario["watches"][number]): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        for await (const _event of this.#client.watch(resource, { signal, metadataOnly: true })) {
          this.#changed.resolve();
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  #show(view: DemoView): void {
    this.#area?.draw(picture(this.#terminal, this.#scenario.title, this.#steps, view));
  }

  #endDrawing(): void {
    if (!this.#area) return;
    this.#area.end();
    this.#area = undefined;
    this.#terminal.out("");
  }
}
