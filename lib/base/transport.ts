/** One request to an API server. */
export interface TransportRequest {
  /** `GET` where absent. */
  readonly method?: string;
  /** In lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Its media type is in the headers. */
  readonly body?: string;
  /** Ends the request, and a response body that is still streaming. */
  readonly signal?: AbortSignal;
  /** For a response that does not end by itself (watch): it gets its own connection. */
  readonly streaming?: boolean;
}

/**
 * Sends requests to an API server, fetch-shaped: over a socket, or to the embedded one. Credentials belong to the
 * transport, never to a request.
 *
 * Guarantees: `fetch` resolves for every HTTP status and rejects only without an answer (unreachable, TLS, aborted).
 * Assumptions: `path` starts with `/` and holds the query; the caller reads or cancels every body.
 */
export interface Transport {
  /** For messages; absent where there is not an address. */
  readonly server?: string | undefined;
  /** Why the server refuses the last credentials, for people; undefined where it does not. */
  readonly refused?: string | undefined;
  /** Resolves with the response's head; the body may still stream. */
  fetch(path: string, request?: TransportRequest): Promise<Response>;
  /** Closes connections; requests in flight fail. */
  close(): void;
}
