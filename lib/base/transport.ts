/** One request to an API server. */
export interface TransportRequest {
  /** HTTP method; `GET` where absent. */
  readonly method?: string;
  /** Header names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The body; its media type is in the headers. */
  readonly body?: string;
  /** Ends the request, and its response body where that is still streaming. */
  readonly signal?: AbortSignal;
  /** True for a response that does not end by itself (watch): it gets its own connection. */
  readonly streaming?: boolean;
}

/**
 * Sends requests to an API server, fetch-shaped: over a socket, or to the embedded API server in this process.
 * Credentials belong to the transport, never to a request.
 *
 * Guarantees: `fetch` resolves for every HTTP status and rejects only where no answer came (unreachable, TLS, aborted).
 * Assumptions: `path` starts with `/` and holds the query string; the caller reads or cancels every body.
 */
export interface Transport {
  /** The server's address, for messages; absent where it has none. */
  readonly server?: string | undefined;
  /** Why the server refuses the credentials of the last requests, for people; undefined where it accepts them. */
  readonly refused?: string | undefined;
  /** Sends one request; resolves with the head of the response, whose body may still stream. */
  fetch(path: string, request?: TransportRequest): Promise<Response>;
  /** Closes connections; requests in flight fail. */
  close(): void;
}
