import { type Clock, formatJson, isObject, UsageError } from "../base/mod.ts";
import {
  basic,
  bearer,
  type Credentials,
  type HeaderFields,
  impersonating,
  type Impersonation,
  StaticCredentials,
  type TlsSettings,
} from "./credentials.ts";
import { ExecCredentials, type ExecPlugin } from "./exec_credentials.ts";
import type { ProxyVariables } from "./proxy.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface KubeconfigOptions {
  /** In order of precedence: the first entry of a name counts, as in kubectl. */
  paths: readonly string[];
  context?: string;
  clock: Clock;
  proxies?: ProxyVariables;
  readFile?: (path: string) => Promise<string>;
}

export interface KubeContext {
  readonly name: string;
  readonly server: string;
  readonly namespace: string;
  readonly credentials: Credentials;
  readonly proxies?: ProxyVariables;
}

/** Entries by name, with the base of relative paths. */
interface Merged {
  readonly current: string | undefined;
  readonly clusters: Map<string, Entry>;
  readonly users: Map<string, Entry>;
  readonly contexts: Map<string, Entry>;
}

interface Entry {
  readonly name: string;
  readonly fields: Fields;
  readonly directory: string;
}

export function kubeconfigPaths(kubeconfig: string | undefined, home: string | undefined, separator = ":"): string[] {
  const paths = (kubeconfig ?? "").split(separator).filter((path) => path !== "");
  return paths.length > 0 ? paths : home ? [`${home}/.kube/config`] : [];
}

interface ContextContent {
  readonly name: string;
  readonly server: string;
  readonly namespace: string;
  readonly cluster: Entry;
  readonly user: Entry;
  readonly tls: TlsSettings;
}

/**
 * Reads a context of kubeconfig files, as kubectl does. Once a server refuses the credentials, they and their files are
 * read again.
 *
 * @throws {UsageError} that names the file or entry and the fix: no file, no YAML, no such context, cluster or user, an
 *   unreadable certificate. A plugin runs with the first request only.
 */
export async function loadKubeconfig(options: KubeconfigOptions): Promise<KubeContext> {
  const content = await readContext(options), { name, server, namespace } = content;
  const credentials = new KubeconfigCredentials(options, content, await credentialsOf(content, options));
  return { name, server, namespace, credentials, proxies: options.proxies };
}

/** Read again from the files once refused. */
class KubeconfigCredentials implements Credentials {
  readonly #options: KubeconfigOptions;
  #content: ContextContent;
  #current: Credentials;
  #isRefused = false;
  #reading: Promise<void> | undefined;

  constructor(options: KubeconfigOptions, content: ContextContent, current: Credentials) {
    this.#options = { ...options, context: content.name };
    this.#content = content;
    this.#current = current;
  }

  get tls(): TlsSettings {
    return this.#current.tls;
  }

  async headers(): Promise<HeaderFields> {
    if (this.#isRefused) await (this.#reading ??= this.#read().finally(() => this.#reading = undefined));
    return await this.#current.headers();
  }

  invalidate(): void {
    this.#current.invalidate();
    this.#isRefused = true;
  }

  async #read(): Promise<void> {
    this.#isRefused = false;
    try {
      const content = await readContext(this.#options),
        { insecureSkipVerify, serverName, proxyUrl } = this.#content.tls;
      // The connection stays as it began: another server would be another cluster.
      const again = { ...content, tls: { ...content.tls, insecureSkipVerify, serverName, proxyUrl } };
      if (again.server !== this.#content.server || formatJson(again) === formatJson(this.#content)) return;
      this.#current = await credentialsOf(again, this.#options);
      this.#content = again;
    } catch (error) {
      // Otherwise files are being renewed; the next refusal reads them again.
      if (!(error instanceof UsageError)) throw error;
    }
  }
}

async function readContext(options: KubeconfigOptions): Promise<ContextContent> {
  const readFile = options.readFile ?? Deno.readTextFile;
  const merged = await mergeFiles(options.paths, readFile);
  const name = options.context ?? merged.current;
  if (!name) {
    throw new UsageError(
      `${list(options.paths)} has no current-context`,
      "kubectl config use-context NAME, or give --context",
    );
  }
  const context = entryOf(merged.contexts, "context", name, "kubectl config get-contexts lists them");
  const clusterName = text(context.fields.cluster) ?? "", userName = text(context.fields.user) ?? "";
  const cluster = entryOf(merged.clusters, "cluster", clusterName, `correct the cluster of context "${name}"`);
  // Without a user requests are anonymous, as behind kubectl proxy.
  const user = userName === ""
    ? { name: "", fields: {}, directory: "." }
    : entryOf(merged.users, "user", userName, `correct the user of context "${name}"`);
  const server = text(cluster.fields.server);
  if (!server || !URL.canParse(server)) {
    throw new UsageError(
      `cluster "${clusterName}" has no usable server address`,
      "set it with kubectl config set-cluster",
    );
  }
  const tls = await tlsOf(cluster, user, readFile);
  return { name, server, namespace: text(context.fields.namespace) ?? "default", cluster, user, tls };
}

async function mergeFiles(paths: readonly string[], readFile: (path: string) => Promise<string>): Promise<Merged> {
  const merged = {
    current: undefined as string | undefined,
    clusters: new Map(),
    users: new Map(),
    contexts: new Map(),
  };
  let found = 0;
  for (const path of paths) {
    let content: string;
    try {
      content = await readFile(path);
    } catch (cause) {
      // kubectl also ignores missing files of a list, but not unreadable ones.
      if (!(cause instanceof Deno.errors.NotFound)) {
        const hint = cause instanceof Deno.errors.IsADirectory ? "name a file in it" : "check its permissions";
        throw new UsageError(`cannot read the kubeconfig ${path}`, hint, { cause });
      }
      continue;
    }
    found++;
    const config = await parseConfig(path, content),
      directory = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ".";
    merged.current ??= text(config["current-context"]);
    collect(merged.clusters, config.clusters, "cluster", directory);
    collect(merged.users, config.users, "user", directory);
    collect(merged.contexts, config.contexts, "context", directory);
  }
  if (found > 0) return merged;
  const what = paths.length > 0
    ? `there is no kubeconfig at ${list(paths)}`
    : "there is no kubeconfig, and no home folder";
  throw new UsageError(
    what,
    "set KUBECONFIG or give --kubeconfig, or run inside a cluster; `run --cluster embedded` needs none",
  );
}

async function parseConfig(path: string, content: string): Promise<Fields> {
  const wrong = () =>
    new UsageError(`${path} is not a kubeconfig: it is not a YAML mapping`, "check the file, or give another one");
  const { parse } = await import("../base/yaml.ts"); // a pod has no kubeconfig, and needs no parser
  let config: unknown;
  try {
    config = parse(content);
  } catch {
    throw wrong(); // the parser's error quotes lines that may hold a token
  }
  if (!isObject(config)) throw wrong();
  return withoutNulls(config) as Fields;
}

/** client-go writes `null` for absent lists without omitempty, at every depth. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => item !== null).map(withoutNulls);
  if (!isObject(value)) return value;
  const present = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(present.map(([key, item]) => [key, withoutNulls(item)]));
}

function collect(into: Map<string, Entry>, entries: unknown, field: string, directory: string): void {
  if (!Array.isArray(entries)) return;
  for (const entry of entries) {
    const name = isObject(entry) ? text(entry.name) : undefined;
    if (!name || into.has(name)) continue;
    into.set(name, { name, fields: isObject(entry[field]) ? entry[field] : {}, directory });
  }
}

function entryOf(entries: Map<string, Entry>, kind: string, name: string, hint: string): Entry {
  const entry = entries.get(name);
  if (entry) return entry;
  throw new UsageError(
    `the kubeconfig has no ${kind} "${name}" (it has ${[...entries.keys()].sort().join(", ") || "none"})`,
    hint,
  );
}

async function tlsOf(cluster: Entry, user: Entry, readFile: (path: string) => Promise<string>): Promise<TlsSettings> {
  const ca = await pemOf(cluster, "certificate-authority", "CERTIFICATE", readFile);
  const cert = await pemOf(user, "client-certificate", "CERTIFICATE", readFile);
  const key = await pemOf(user, "client-key", "PRIVATE KEY", readFile);
  if (Boolean(cert) !== Boolean(key)) {
    const [has, lacks] = cert ? ["client-certificate", "client-key"] : ["client-key", "client-certificate"];
    throw new UsageError(
      `user "${user.name}" of the kubeconfig has a ${has} without a ${lacks}`,
      `add its ${lacks}-data`,
    );
  }
  return {
    caCerts: ca ? [ca] : undefined,
    cert,
    key,
    insecureSkipVerify: cluster.fields["insecure-skip-tls-verify"] === true,
    serverName: text(cluster.fields["tls-server-name"]),
    proxyUrl: text(cluster.fields["proxy-url"]),
  };
}

async function pemOf(
  entry: Entry,
  field: string,
  label: "CERTIFICATE" | "PRIVATE KEY",
  readFile: (path: string) => Promise<string>,
): Promise<string | undefined> {
  const data = text(entry.fields[`${field}-data`]), path = text(entry.fields[field]);
  const where = data
    ? `${field}-data of "${entry.name}" in the kubeconfig`
    : `${field} ${path && resolve(entry.directory, path)}`;
  const pem = data ? decoded(data, where) : path ? await read(resolve(entry.directory, path)) : undefined;
  // Labels of keys have prefixes: EC PRIVATE KEY, RSA PRIVATE KEY.
  if (pem !== undefined && !new RegExp(`-----BEGIN [A-Z ]*${label}-----[^]+-----END [A-Z ]*${label}-----`).test(pem)) {
    throw new UsageError(`${where} has no ${label.toLowerCase()} in PEM`, "write the kubeconfig again");
  }
  return pem;

  async function read(path: string): Promise<string> {
    try {
      return await readFile(path);
    } catch (cause) {
      throw new UsageError(
        `cannot read ${field} ${path} of "${entry.name}" in the kubeconfig`,
        "check that the file exists and can be read",
        { cause },
      );
    }
  }
}

function decoded(data: string, where: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.fromBase64(data));
  } catch {
    throw new UsageError(`${where} is not base64`, "write the kubeconfig again");
  }
}

async function credentialsOf(
  { cluster, user, tls, server }: ContextContent,
  options: KubeconfigOptions,
): Promise<Credentials> {
  const { fields, directory } = user, { clock, readFile = Deno.readTextFile } = options;
  const as = impersonationOf(user), credentials = await identityOf();
  return as ? impersonating(credentials, as) : credentials;

  /** client-go's order: static credentials come before a plugin. */
  async function identityOf(): Promise<Credentials> {
    const token = text(fields.token), tokenFile = text(fields.tokenFile), username = text(fields.username);
    if (tokenFile) {
      return new TokenFileCredentials(resolve(directory, tokenFile), { fallback: token, tls, clock, readFile });
    }
    if (token) return new StaticCredentials(tls, bearer(token));
    if (username) return new StaticCredentials(tls, basic(username, text(fields.password) ?? ""));
    if (isObject(fields.exec)) {
      return new ExecCredentials(pluginOf(user, fields.exec), { tls, server, clock, directory });
    }
    if (isObject(fields["auth-provider"])) {
      const { AuthProviderCredentials } = await import("./auth_provider.ts");
      return new AuthProviderCredentials(cluster, user, tls);
    }
    return new StaticCredentials(tls);
  }
}

function pluginOf(user: Entry, exec: Fields): ExecPlugin {
  const command = text(exec.command);
  if (!command) {
    throw new UsageError(
      `user "${user.name}" of the kubeconfig has an exec plugin without a command`,
      "add its command",
    );
  }
  const { args, env } = exec;
  return {
    apiVersion: text(exec.apiVersion) ?? "",
    command,
    args: Array.isArray(args) ? args.map(String) : [],
    env: (Array.isArray(env) ? env : []).filter(isObject)
      .map(({ name, value }) => ({ name: String(name), value: String(value ?? "") })),
    installHint: text(exec.installHint),
    provideClusterInfo: exec.provideClusterInfo === true,
  };
}

/** @throws {UsageError} for groups and other fields without a user: requests would be the caller's own. */
function impersonationOf({ name, fields }: Entry): Impersonation | undefined {
  const { "as-groups": groups, "as-user-extra": extra } = fields, user = text(fields.as), uid = text(fields["as-uid"]);
  const lists = Object.entries(isObject(extra) ? extra : {})
    .map(([key, values]) => [key, Array.isArray(values) ? values.map(String) : []] as const);
  const as = { groups: Array.isArray(groups) ? groups.map(String) : [], uid, extra: Object.fromEntries(lists) };
  if (user) return { user, ...as };
  if (as.groups.length === 0 && !uid && lists.length === 0) return undefined;
  throw new UsageError(
    `user "${name}" of the kubeconfig has as-groups, as-uid or as-user-extra without as`,
    "name the user to act as, or remove them",
  );
}

class TokenFileCredentials implements Credentials {
  #token = "";
  #readMs = Number.NEGATIVE_INFINITY;

  constructor(
    readonly path: string,
    readonly options: {
      readonly fallback: string | undefined;
      readonly tls: TlsSettings;
      readonly clock: Clock;
      readonly readFile: (path: string) => Promise<string>;
    },
  ) {}

  get tls(): TlsSettings {
    return this.options.tls;
  }

  async headers(): Promise<HeaderFields> {
    const { clock, fallback, readFile } = this.options;
    if (clock.elapsed() - this.#readMs >= 60_000) {
      try {
        this.#token = (await readFile(this.path)).trim();
      } catch (cause) {
        if (fallback) return bearer(fallback);
        throw new UsageError(`cannot read the token file ${this.path} that the kubeconfig names`, "log in again", {
          cause,
        });
      }
      this.#readMs = clock.elapsed();
    }
    return bearer(this.#token);
  }

  invalidate(): void {
    this.#readMs = Number.NEGATIVE_INFINITY;
  }
}

function resolve(directory: string, path: string): string {
  return path.startsWith("/") ? path : `${directory}/${path}`;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function list(paths: readonly string[]): string {
  return paths.join(", ");
}
