/** One request to an API server. */
export interface TransportRequest {
  /** HTTP method; `GET` where absent. */
  readonly method?: string;
  /** Header names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Text to send; its media type is in the headers. */
  readonly body?: string;
  /** Ends the request, and its response body where that is still streaming. */
  readonly signal?: AbortSignal;
  /** True for a response that does not end by itself (watch): such requests get connections of their own. */
  readonly streaming?: boolean;
}

/**
 * The way to an API server, fetch-shaped: a socket client and the embedded API server both are one, so nothing above
 * knows whether a network is between. Credentials belong to the transport, never to a request.
 *
 * Guarantees: `fetch` resolves for every HTTP status and rejects only where no answer came (unreachable, TLS, aborted).
 * Assumptions: `path` starts with `/` and holds the query string; the caller reads or cancels every body.
 */
export interface Transport {
  /** The server's address, for messages; absent where there is none, or where it does not matter. */
  readonly server?: string | undefined;
  /** Why the server refuses the credentials of the last requests, for people; undefined where it takes them. */
  readonly refused?: string | undefined;
  /** Sends one request; resolves with the head of the answer, whose body may still stream. */
  fetch(path: string, request?: TransportRequest): Promise<Response>;
  /** Closes connections; requests under way fail. */
  close(): void;
}
