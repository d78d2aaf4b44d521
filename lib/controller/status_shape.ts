import { type Clock, describeError, isObject, type Logger, ownValue } from "../base/mod.ts";
import { type ApiResource, formatGroupResource } from "../apimachinery/mod.ts";
import { ApiError, type Client } from "../client/mod.ts";

/** The engine's fields that a kind's status has. */
export interface StatusShape {
  readonly observedGeneration: boolean;
  /** Paths of conditions in the status; absent if it has none. */
  readonly conditions?: readonly string[];
  /** Of a condition. */
  readonly conditionGeneration: boolean;
}

/** The status of a kind that the operator defines. */
export const FULL_STATUS: StatusShape = {
  observedGeneration: true,
  conditions: ["conditions"],
  conditionGeneration: true,
};

type Schema = Readonly<Record<string, unknown>>;

/** Before a schema that the server does not publish is read again. */
const UNPUBLISHED_MS = 60_000;

/**
 * The engine's fields in the status of a kind that another program's CRD defines, from the published schema
 * (`/openapi/v3`, KEP-2896), which every authenticated user may read.
 */
export class ServedStatus {
  readonly #kind: ApiResource;
  readonly #conditions: readonly string[];
  readonly #clock: Clock;
  #shape: StatusShape | undefined;
  /** Elapsed time. */
  #readAgainMs = 0;
  #warned: string | undefined;

  /** `conditions`: their paths in the status. */
  constructor(kind: ApiResource, conditions: readonly string[], clock: Clock) {
    this.#kind = kind;
    this.#conditions = conditions;
    this.#clock = clock;
  }

  /** All fields if the server publishes no schema. One log line names missing fields. */
  async shape(client: Client, log: Logger): Promise<StatusShape> {
    if (!this.#shape && this.#clock.elapsed() >= this.#readAgainMs) this.#shape = await this.#read(client, log);
    return this.#shape ?? { ...FULL_STATUS, conditions: this.#conditions };
  }

  /** Reads the schema again at the next `shape`: the server refused a status. */
  forget(): void {
    this.#shape = undefined;
    this.#readAgainMs = 0;
  }

  /** Undefined if the server does not publish the kind, or not yet. */
  async #read(client: Client, log: Logger): Promise<StatusShape | undefined> {
    let status: Schema | undefined;
    try {
      status = statusSchema(await openApi(client, this.#kind), this.#kind);
    } catch (error) {
      log.debug("the schema of the kind could not be read; its status is assumed to have every field", {
        kind: this.#kind.kind,
        error: describeError(error),
      });
      if (!(error instanceof ApiError)) return undefined; // no answer: the next pass may get one
    }
    if (!status) {
      this.#readAgainMs = this.#clock.elapsed() + UNPUBLISHED_MS;
      return undefined;
    }
    const conditions = this.#conditions.reduce<Schema | undefined>(fieldOf, status);
    const item = conditions && isObject(conditions.items) ? conditions.items : conditions && {};
    const shape = {
      observedGeneration: fieldOf(status, "observedGeneration") !== undefined,
      ...(item ? { conditions: this.#conditions } : {}),
      conditionGeneration: item !== undefined && fieldOf(item, "observedGeneration") !== undefined,
    };
    this.#warn(shape, log);
    return shape;
  }

  #warn({ observedGeneration, conditions, conditionGeneration }: StatusShape, log: Logger): void {
    const path = `status.${this.#conditions.join(".")}`;
    const missing = [
      ...observedGeneration ? [] : ["status.observedGeneration"],
      ...conditions ? conditionGeneration ? [] : [`${path}[].observedGeneration`] : [path],
    ].join(", ");
    if (missing === "" || missing === this.#warned) return;
    this.#warned = missing;
    log.warn("the CRD of this kind lacks fields that the operator would write; they are left out", {
      crd: formatGroupResource(this.#kind),
      missing,
    });
  }
}

function openApi(client: Client, { group, version }: ApiResource): Promise<unknown> {
  return client.raw(`/openapi/v3/${group === "" ? "api" : `apis/${group}`}/${version}`);
}

function statusSchema(document: unknown, kind: ApiResource): Schema | undefined {
  const schemas = ownPath(document, ["components", "schemas"]);
  if (!isObject(schemas)) return undefined;
  const found = Object.values(schemas).find((schema) => {
    const named = isObject(schema) ? schema["x-kubernetes-group-version-kind"] : undefined;
    return Array.isArray(named) &&
      named.some((each) =>
        isObject(each) && each.group === kind.group && each.version === kind.version && each.kind === kind.kind
      );
  });
  return isObject(found) ? fieldOf(found, "status") : undefined;
}

/** A schema that keeps unknown fields has every field. */
function fieldOf(schema: Schema | undefined, field: string): Schema | undefined {
  if (!schema) return undefined;
  const found = ownPath(schema, ["properties", field]);
  if (isObject(found)) return found;
  return schema["x-kubernetes-preserve-unknown-fields"] === true ? schema : undefined;
}

function ownPath(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => isObject(at) ? ownValue(at, key) : undefined, value);
}
