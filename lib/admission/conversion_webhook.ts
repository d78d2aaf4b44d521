import { type Clock, describeError, formatJson, isObject, type Logger, type TransportRequest } from "../base/mod.ts";
import { type DynamicObject, formatKey, keyOf, parseApiVersion } from "../apimachinery/mod.ts";
import { CONVERT_PATH } from "./crd_conversion.ts";
import { ConversionError, type KindConversion } from "./kind_conversion.ts";
import { MalformedReviewError, requestOf } from "./review.ts";
import type { AdmissionRecord } from "./webhooks.ts";

export interface ConversionHost {
  readonly clock: Clock;
  /** Its lines name the object and both versions. */
  readonly logger: Logger;
  /** Called with every answered review; one that fails counts as denied. */
  readonly onReview?: (record: AdmissionRecord) => void;
}

interface ConversionBounds {
  /** Of a review, which may hold every object of a list. */
  readonly bodyBytesMax: number;
}

const BOUNDS: ConversionBounds = { bodyBytesMax: 32 * 1024 * 1024 };
const REVIEW = { apiVersion: "apiextensions.k8s.io/v1", kind: "ConversionReview" } as const;
/** Bounds the memory of logged problems; each is logged once. */
const LOGGED_MAX = 1_000;

interface ConversionRequest {
  readonly uid: string;
  readonly desiredAPIVersion: string;
  readonly objects: readonly DynamicObject[];
}

/**
 * Answers `ConversionReview`s, fetch-shaped.
 *
 * Guarantees: every request is answered, with all objects in order or none. A failure names the object, and quotes only
 * `PermanentError`s and `AdmissionError`s of its function; other errors are only logged.
 */
export class ConversionWebhook {
  readonly #conversions: readonly KindConversion[];
  readonly #host: ConversionHost;
  readonly #bounds: ConversionBounds;
  readonly #logged = new Set<string>();

  constructor(conversions: readonly KindConversion[], host: ConversionHost, bounds: Partial<ConversionBounds> = {}) {
    this.#conversions = conversions;
    this.#host = host;
    this.#bounds = { ...BOUNDS, ...bounds };
  }

  get bodyBytesMax(): number {
    return this.#bounds.bodyBytesMax;
  }

  /** Never rejects. */
  fetch({ method = "GET", headers = {}, body = "" }: TransportRequest): Promise<Response> {
    const { clock, onReview } = this.#host, startMs = clock.elapsed();
    const { answer, failed } = this.#answer(method, headers["content-type"] ?? "", body);
    onReview?.({ webhook: CONVERT_PATH, code: answer.status, denied: failed, durationMs: clock.elapsed() - startMs });
    return Promise.resolve(answer);
  }

  #answer(method: string, type: string, body: string): { readonly answer: Response; readonly failed: boolean } {
    const refusal = (status: number, message: string) => ({
      answer: new Response(`${message}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8" } }),
      failed: false,
    });
    if (method !== "POST") return refusal(405, "a webhook accepts only POST");
    if (!/^application\/json\b/.test(type)) return refusal(415, "a review must be application/json");
    if (body.length > this.bodyBytesMax) return refusal(413, `a review may have at most ${this.bodyBytesMax} bytes`);
    let request: ConversionRequest;
    try {
      request = parseConversionReview(body);
    } catch (error) {
      if (error instanceof MalformedReviewError) return refusal(400, error.message);
      throw error;
    }
    const { uid } = request, converted = this.#convertAll(request), failed = typeof converted === "string";
    const response = failed
      ? { uid, convertedObjects: [], result: { status: "Failure", message: converted } }
      : { uid, convertedObjects: converted, result: { status: "Success" } };
    const text = formatJson({ ...REVIEW, response });
    return { answer: new Response(text, { headers: { "content-type": "application/json" } }), failed };
  }

  #convertAll({ objects, desiredAPIVersion }: ConversionRequest): DynamicObject[] | string {
    const { group, version } = parseApiVersion(desiredAPIVersion), converted: DynamicObject[] = [];
    for (const object of objects) {
      const conversion = this.#conversions.find((each) => each.covers(object));
      const from = object.apiVersion ?? "", key = formatKey(keyOf(object)), kind = object.kind ?? "";
      const log = this.#host.logger.with({ kind, object: key, from, to: desiredAPIVersion });
      if (!conversion || parseApiVersion(from).group !== group) {
        return `${kind} ${key} of ${from} cannot be converted by this operator to ${desiredAPIVersion}`;
      }
      try {
        const { object: made, problems } = conversion.convert(object, version);
        this.#logProblems(log, `${kind}/${key}`, problems);
        converted.push(made);
      } catch (error) {
        log.error("an object could not be converted", {
          error: describeError(error instanceof ConversionError ? error.cause ?? error : error),
        });
        if (error instanceof ConversionError) return error.message;
        return `${kind} ${key} could not be converted to ${desiredAPIVersion}: the reason is in the operator's log`;
      }
    }
    return converted;
  }

  /** Each problem once. */
  #logProblems(log: Logger, object: string, problems: readonly string[]): void {
    for (const problem of problems) {
      const key = `${object}\n${problem}`;
      if (this.#logged.has(key)) continue;
      if (this.#logged.size >= LOGGED_MAX) this.#logged.clear();
      this.#logged.add(key);
      log.error("an object was converted with problems", { problem });
    }
  }
}

/**
 * `apiextensions.k8s.io/v1`.
 *
 * @throws {MalformedReviewError} naming the field. It quotes no value: the body may hold any data.
 */
function parseConversionReview(text: string): ConversionRequest {
  const { uid, desiredAPIVersion, objects } = requestOf(text, REVIEW);
  if (typeof desiredAPIVersion !== "string" || !desiredAPIVersion.includes("/")) {
    throw new MalformedReviewError("request.desiredAPIVersion is missing");
  }
  if (!Array.isArray(objects) || !objects.every(isObject)) {
    throw new MalformedReviewError("request.objects is not a list of objects");
  }
  return { uid, desiredAPIVersion, objects: objects as DynamicObject[] };
}
