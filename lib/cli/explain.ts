import { describeError, isObject, silentLogger, SystemClock, type Transport, UsageError } from "../base/mod.ts";
import { type ApiResource, formatGroupResource, formatKey, keyOf, type ObjectKey } from "../apimachinery/mod.ts";
import { Client, isNotFound } from "../client/mod.ts";
import { TOKEN_AUDIENCE, TOKEN_HEADER } from "../health/mod.ts";
import { type BuiltinObject, ServiceAccount } from "../operator/mod.ts";
import type { CommandContext } from "./command_context.ts";
import { EXIT } from "./exit.ts";
import { type Answer, explanationLines } from "./explain_lines.ts";
import type { Explanation } from "./explain_route.ts";
import { Interrupts } from "./interrupts.ts";
import { type Account, podsOf } from "./inventory.ts";
import { requireObject, requireSelection, type Selection, selectionOf } from "./object_argument.ts";
import { openCluster } from "./open_cluster.ts";
import { writeJson } from "./terminal.ts";

interface ExplainFlags {
  readonly namespace?: string | undefined;
  readonly podNamespace: string;
  readonly serviceAccount?: string | undefined;
  readonly output: "text" | "json";
}

/** A process of the operator. */
interface Place {
  /** For people. */
  readonly name: string;
  /** Sends a request with the token in {@linkcode TOKEN_HEADER}. */
  fetch(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response>;
}

/** API servers give no token a shorter life. */
const TOKEN_SECONDS = 600;

/**
 * `explain`: the last reconciles of an object, as the running operator remembers them. It asks every pod of the
 * operator through the API server, or a process on this machine, with a short token that is valid nowhere else.
 */
export async function explain(context: CommandContext, wanted: string, flags: ExplainFlags): Promise<number> {
  const { operator, terminal, settings, mask } = context;
  const argument = { text: wanted, isOne: true };
  requireSelection(operator, argument);
  if (settings.cluster === "embedded") {
    throw new UsageError(
      "explain reaches an operator that runs already, and --cluster embedded would start a new cluster",
      "give the kubeconfig that the running program printed: --kubeconfig FILE",
    );
  }
  const asker = accountOf(flags, operator.name), clock = new SystemClock();
  using interrupts = new Interrupts();
  const { signal } = interrupts;
  await using cluster = await openCluster(context, clock, silentLogger);
  const client = new Client(cluster.transport, { fieldManager: operator.name, clock, mask });
  const { kind, name } = await selectionOf(operator, client, argument, signal) as Required<Selection>;
  const key = { name, ...(kind.namespaced ? { namespace: flags.namespace ?? cluster.namespace } : {}) };
  const places = await placesOf(context, client, flags.podNamespace, signal);
  const token = await tokenOf(context, client, asker, signal);
  const asked = await Promise.all(
    places.map((place) => ask(place, { operator: operator.name, kind, key, token, signal })),
  );
  const answers = asked.filter((each) => "explanation" in each), refused = asked.filter((each) => "problem" in each);
  if (answers.length === 0) throw new NoAnswerError(refused.map(({ problem }) => problem).join("\n"));
  for (const { problem } of refused) terminal.err(problem);
  const known = answers.filter(({ explanation: { entries, present } }) => entries.length > 0 || present);
  if (known.length === 0) {
    await requireObject(client, kind, key, signal);
    throw new NoAnswerError(unknownText(context, kind, key, answers));
  }
  if (flags.output === "json") writeJson(terminal, known.map(({ place, explanation }) => ({ place, ...explanation })));
  else {
    const object = `${kind.kind.toLowerCase()} ${formatKey(key)}`;
    for (const line of explanationLines(object, known, terminal)) terminal.out(line);
  }
  return EXIT.done;
}

class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
}

function accountOf({ podNamespace, serviceAccount }: ExplainFlags, name: string): Account {
  if (serviceAccount === undefined) return { namespace: podNamespace, name };
  const [namespace, own, ...more] = serviceAccount.split("/");
  if (!namespace || !own || more.length > 0) {
    throw new UsageError(`--service-account: "${serviceAccount}" names no account`, "give NAMESPACE/NAME");
  }
  return { namespace, name: own };
}

/** The operator's pods; without any, or with `--http-port`, the process on this machine. */
async function placesOf(
  { operator, origins, settings: { httpPort } }: CommandContext,
  client: Client,
  namespace: string,
  signal: AbortSignal,
): Promise<Place[]> {
  if (origins.httpPort?.source === "default") {
    const pods = (await podsOf(client, { namespace, name: operator.name }, signal)).filter(isRunning);
    if (pods.length > 0) return pods.map((pod) => inPod(client.transport, pod, httpPort));
  }
  const server = `http://127.0.0.1:${httpPort}`;
  return [{
    name: server,
    fetch: async (path, headers, signal) => {
      try {
        return await fetch(`${server}${path}`, { headers, signal, redirect: "manual" });
      } catch {
        signal.throwIfAborted();
        throw new UsageError(
          `no pod of ServiceAccount ${namespace}/${operator.name} runs, and nothing answers at ${server}`,
          "--pod-namespace names the namespace of the operator's pods, --http-port the port of a process on this machine",
        );
      }
    },
  }];
}

function isRunning({ metadata, status }: BuiltinObject): boolean {
  return !metadata?.deletionTimestamp && (status as { phase?: string } | undefined)?.phase === "Running";
}

/** Through the API server: a NetworkPolicy must admit it, as it admits probes. */
function inPod(transport: Transport, pod: BuiltinObject, portElse: number): Place {
  const { namespace, name } = keyOf(pod),
    { containers = [] } = (pod.spec ?? {}) as {
      containers?: { ports?: { name?: string; containerPort: number }[] }[];
    };
  const port = containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === "http")?.containerPort;
  const proxy = `/api/v1/namespaces/${namespace}/pods/${name}:${port ?? portElse}/proxy`;
  return {
    name: `pod ${namespace}/${name}`,
    fetch: (path, headers, signal) => transport.fetch(proxy + path, { headers, signal }),
  };
}

/** Of a ServiceAccount: the caller's own credentials never reach a pod, and a client certificate could not. */
async function tokenOf(
  { command, program }: CommandContext,
  client: Client,
  account: Account,
  signal: AbortSignal,
): Promise<string> {
  const spec = { audiences: [TOKEN_AUDIENCE], expirationSeconds: TOKEN_SECONDS };
  const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", metadata: account, spec };
  try {
    const { status } = await client.create(ServiceAccount, request as BuiltinObject<object>, {
      subresource: "token",
      signal,
    }) as {
      status?: { token?: string };
    };
    return status?.token ?? "";
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const isDefault = account.namespace === `${program}-system`;
    throw new UsageError(
      `there is no ServiceAccount ${formatKey(account)} to ask as`,
      `${isDefault ? `\`${command} install\` creates it; ` : ""}--pod-namespace or --service-account names another`,
      { cause: error },
    );
  }
}

interface Question {
  readonly operator: string;
  readonly kind: ApiResource;
  readonly key: ObjectKey;
  readonly token: string;
  readonly signal: AbortSignal;
}

async function ask(
  { name: place, fetch }: Place,
  { operator, kind, key, token, signal }: Question,
): Promise<Answer | { readonly problem: string }> {
  const query = new URLSearchParams({ resource: formatGroupResource(kind), name: key.name });
  if (key.namespace) query.set("namespace", key.namespace);
  try {
    const response = await fetch(`/explain?${query}`, { [TOKEN_HEADER]: `Bearer ${token}` }, signal);
    const text = await response.text(), body = jsonOf(text);
    if (response.ok && body.operator === operator) return { place, explanation: body as unknown as Explanation };
    if (response.ok) return { problem: `${place} is not the operator ${operator}` };
    const said = body.error ?? body.message ?? text.trim();
    if (response.status === 404 && body.error === undefined && body.kind !== "Status") {
      return { problem: `${place} has no journal: it is of an earlier release, or another program` };
    }
    return { problem: `${place} answered ${response.status}: ${said}` };
  } catch (error) {
    if (signal.aborted || error instanceof UsageError) throw error;
    return { problem: `${place} does not answer: ${describeError(error)}` };
  }
}

function jsonOf(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

function unknownText(
  { command }: CommandContext,
  kind: ApiResource,
  key: ObjectKey,
  answers: readonly Answer[],
): string {
  const what = `${kind.kind} ${formatKey(key)}`;
  if (answers.every(({ explanation: { state } }) => state !== "running")) {
    return `the operator has not reconciled ${what}: it is ${answers[0]!.explanation.state}\n` +
      `  fix: \`${command} doctor\` shows what it waits for`;
  }
  return `the operator has not reconciled ${what} since it started, or has forgotten it\n` +
    `  fix: \`${command} plan ${kind.kind.toLowerCase()}/${key.name}\` shows whether it handles the object, and what it would write`;
}
