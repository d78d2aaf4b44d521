/** What a fault of the exploration says. */
export const FAULT_MESSAGE = "a fault of the exploration";

const REASONS: Readonly<Record<number, string>> = {
  409: "Conflict",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  504: "Timeout",
};

/** An answer of an API server in trouble, or of a proxy before it. */
export function failure(code: number, message = FAULT_MESSAGE): Response {
  const status = {
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    reason: REASONS[code] ?? "Unknown",
    code,
    message,
  };
  const headers = { "content-type": "application/json", ...(code === 429 && { "retry-after": "1" }) };
  return new Response(JSON.stringify(status), { status: code, headers });
}

/** As a server without the feature WatchList answers. */
export function noStreamingLists(): Response {
  return failure(
    422,
    "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
  );
}
