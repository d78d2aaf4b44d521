/** Why no response arrived. `silent`: a stream that should send data every minute did not. */
export type UnreachableKind =
  | "dns"
  | "refused"
  | "reset"
  | "timeout"
  | "silent"
  | "unknownAuthority"
  | "certificateName"
  | "certificateExpired"
  | "tls"
  | "proxyCredentials"
  | "proxyRefusal"
  | "other";

const ADVICE: Readonly<Record<UnreachableKind, readonly [problem: string, hint?: string]>> = {
  dns: ["its name does not resolve", "check the server's address and this machine's DNS"],
  refused: ["the connection was refused", "check the port, and that the API server runs"],
  reset: ["the connection broke before the response was complete"],
  timeout: ["no response in time", "check firewalls, proxies and the server's load"],
  silent: ["the stream was silent for too long, so its connection is treated as dead"],
  unknownAuthority: [
    "its certificate is signed by an authority that is not trusted",
    // Deno's node:tls, used for tls-server-name, reports an expired one the same way.
    "check certificate-authority-data (where tls-server-name is set: also that the certificate has not expired)",
  ],
  certificateName: ["its certificate is for another name", "check the server's address, or set tls-server-name"],
  certificateExpired: ["its certificate is not valid at this time", "renew it, and check both clocks"],
  tls: ["the TLS handshake failed", "check that the port speaks TLS and that client certificates match"],
  proxyCredentials: [
    "the proxy requires a user and a password, or refuses the given ones (407)",
    "put them into its address, percent-encoded: http://USER:PASSWORD@HOST:PORT",
  ],
  proxyRefusal: [
    "the proxy refuses to connect to it",
    "ask its administrator, or leave the server out (NO_PROXY, no proxy-url)",
  ],
  other: ["no response came"],
};

/** For a request through a proxy. */
const ADVICE_OF_PROXIES: Partial<Record<UnreachableKind, readonly [problem: string, hint: string]>> = {
  dns: ["the proxy's name does not resolve", "check its address, or leave the server out (NO_PROXY, no proxy-url)"],
  refused: ["the proxy refused the connection", "check that it runs, or leave the server out (NO_PROXY, no proxy-url)"],
};

/** These occur before a request is sent, so the server cannot have carried it out. */
const UNSENT: ReadonlySet<UnreachableKind> = new Set<UnreachableKind>([
  "dns",
  "refused",
  "unknownAuthority",
  "certificateName",
  "certificateExpired",
  "tls",
  "proxyCredentials",
  "proxyRefusal",
]);

/**
 * No response arrived: the server is unreachable, untrusted, or broke the connection. `cause` is the socket's error.
 */
export class UnreachableError extends Error {
  /** In logs and retries. */
  override readonly name: string = "UnreachableError";
  /** For people; part of the message. */
  readonly problem: string;
  /** The fix, where known; part of the message. */
  readonly hint: string | undefined;
  /** False only where the server certainly did not receive the request. */
  readonly maybeReceived: boolean;

  /** The proxy, for people. */
  readonly proxy: string | undefined;

  /** `server` is its address, or empty; `during` describes the request, `proxy` the proxy, without its password. */
  constructor(
    readonly server: string,
    readonly kind: UnreachableKind,
    options: ErrorOptions & { during?: string; proxy?: string } = {},
  ) {
    const { proxy } = options, during = options.during ? `cannot ${options.during}: ` : "";
    const [what, hint] = proxy && ADVICE_OF_PROXIES[kind] || ADVICE[kind];
    const through = proxy ? ` through the proxy ${proxy}` : "";
    const problem = `${during}the API server${server && ` ${server}`} cannot be reached${through}: ${what}`;
    super(hint ? `${problem}: ${hint}` : problem, { cause: options.cause });
    this.proxy = proxy;
    this.problem = problem;
    this.hint = hint;
    this.maybeReceived = !UNSENT.has(kind);
  }
}

/** Another program answered: a proxy's login page, broken JSON, an endless line. */
export class MalformedAnswerError extends Error {
  /** In logs and retries. */
  override readonly name: string = "MalformedAnswerError";
}

/** `server` is its address; `response` describes the response without quoting it. */
export function notKubernetes(server: string | undefined, response: string, cause?: unknown): MalformedAnswerError {
  return new MalformedAnswerError(
    `${server ?? "the server"} does not respond like a Kubernetes API server (${response}): ` +
      "check its address in the kubeconfig, and that no proxy or login page is between",
    { cause },
  );
}

const NODE_CODES: Readonly<Record<string, UnreachableKind>> = {
  ENOTFOUND: "dns",
  EAI_AGAIN: "dns",
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  EPIPE: "reset",
  ETIMEDOUT: "timeout",
};

/** With any code of a socket. */
const HANDSHAKE = /before secure TLS connection|received fatal alert|handshake eof/i;

// Deno's fetch has no error codes: these are messages of rustls, hyper and the resolver. Others are "other".
const WORDS: readonly (readonly [RegExp, UnreachableKind])[] = [
  [/proxy authentication required/i, "proxyCredentials"],
  [/unsuccessful tunnel/i, "proxyRefusal"],
  [/dns error|failed to lookup address/i, "dns"],
  [/connection refused|actively refused|proxy server unreachable/i, "refused"],
  [/UnknownIssuer|unable to (?:get|verify)|self.signed certificate/i, "unknownAuthority"],
  [/not valid for name|NotValidForName|does not match certificate/i, "certificateName"],
  [/certificate (?:has )?expired|not valid (?:before|after|yet)|CertExpired|NotValidYet/i, "certificateExpired"],
  [/\(Connect\).*(?:certificate|tls|corrupt message|handshake|alert)/i, "tls"],
  [/timed out|timeout/i, "timeout"],
  [
    /connection (?:closed|reset|error)|SendRequest|broken pipe|reading a body|unexpected (?:eof|end)|socket hang up/i,
    "reset",
  ],
  [/certificate|handshake|\btls\b|\bssl\b/i, "tls"],
];

export function classifyFailure(error: unknown): UnreachableKind {
  for (
    let current: unknown = error, depth = 0;
    current instanceof Error && depth < 4;
    depth++, current = current.cause
  ) {
    if (HANDSHAKE.test(current.message)) return "tls";
    const code = (current as { code?: unknown }).code;
    if (typeof code === "string" && Object.hasOwn(NODE_CODES, code)) return NODE_CODES[code]!;
    for (const [words, kind] of WORDS) if (words.test(current.message)) return kind;
  }
  return "other";
}
