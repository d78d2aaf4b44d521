const LIBRARY = new URL("../", import.meta.url).href;

/**
 * An error of the program's own code, whose message begins with the place where it was thrown, unless it names one. It
 * stays the same error, since its class decides the exit code.
 */
export function withPlace(error: unknown): unknown {
  if (!(error instanceof Error) || /\bfile:\/\/\S+:\d+:\d+/.test(error.message)) return error;
  const place = placeOf(error);
  if (place) Object.defineProperty(error, "message", { value: `${place}: ${error.message}` });
  return error;
}

/** The first frame outside of the library and of packages: path, line and column. */
function placeOf({ stack = "" }: Error): string | undefined {
  for (const line of stack.split("\n")) {
    const place = /\(?(file:\/\/[^()\s]+:\d+:\d+)\)?$/.exec(line)?.[1];
    if (place && !place.startsWith(LIBRARY) && !place.includes("/node_modules/")) {
      return decodeURIComponent(place.slice("file://".length));
    }
  }
  return undefined;
}
