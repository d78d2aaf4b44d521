import { type Clock, jsonEqual, UsageError } from "../base/mod.ts";
import { type ApiResource, type DynamicObject, keyOf } from "../apimachinery/mod.ts";
import { type Client, NotFoundError } from "../client/mod.ts";
import { Expectation } from "./expectation.ts";
import { formatRef, type Ref } from "./ref.ts";

/** An object, with the resource that it is applied to. */
export interface PlacedObject {
  readonly resource: ApiResource;
  readonly object: DynamicObject;
}

/** How objects are put into a cluster for a while. */
interface TemporaryObjectsOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** Bound of each wait until something is gone. */
  readonly waitMsMax: number;
  /** Ends the placing, not the removal. */
  readonly signal: AbortSignal;
  /** Update existing objects that differ, instead of refusing them. */
  readonly replace?: boolean;
  /**
   * The reason in the message where an existing object differs; that it is not as the operator declares it where
   * absent.
   */
  readonly refusal?: { readonly because: string; readonly fix: string };
}

/**
 * Puts objects into a cluster: `apply` is given those that are not there yet, or all of them with `replace`. Disposing
 * removes what was not there before, in the opposite order, and waits until it is gone. What was there stays as it was.
 *
 * @throws {UsageError} where an object exists and differs: others may rely on it.
 */
export async function place(
  objects: readonly PlacedObject[],
  options: TemporaryObjectsOptions,
  apply: (wanted: readonly PlacedObject[]) => Promise<void>,
): Promise<AsyncDisposable> {
  const { client, clock, waitMsMax, signal, replace } = options;
  const gone = (ref: Ref<never>, signal?: AbortSignal) =>
    new Expectation(ref, { client, clock, waitMsMax, signal }).toBeGone();
  await using stack = new AsyncDisposableStack();
  const absent: PlacedObject[] = [];
  stack.defer(async () => {
    for (const placed of absent) await gone(refOf(placed));
  });
  for (const placed of objects) {
    const ref = refOf(placed), present = await client.find(ref.resource, ref.key, { signal });
    if (present?.metadata?.deletionTimestamp) await gone(ref, signal); // of a run before this one
    else if (present) {
      if (!replace) await requireSame(options, placed, present);
      continue;
    }
    absent.push(placed);
  }
  // Nothing is applied before all of it may be. An apply whose answer is lost must leave nothing behind: it counts as
  // made.
  for (const placed of absent) stack.defer(() => remove(client, placed));
  await apply(replace ? objects : absent);
  return stack.move();
}

function refOf({ resource, object }: PlacedObject): Ref<never> {
  return { resource, key: keyOf(object) } as Ref<never>;
}

/** The pods of a Deployment go before it: once it is gone, so are they. */
async function remove(client: Client, { resource, object }: PlacedObject): Promise<void> {
  const propagationPolicy = resource.group === "apps" ? "Foreground" : undefined;
  try {
    await client.delete(resource, keyOf(object), { propagationPolicy });
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
}

const OTHER_OPERATOR = {
  because: "this operator declares it",
  fix: "an operator of that name seems to be installed: uninstall it, or test on another cluster",
};

/** What an apply would make of an object must be what it is, labels apart. */
async function requireSame(
  { client, signal, refusal = OTHER_OPERATOR }: TemporaryObjectsOptions,
  placed: PlacedObject,
  present: DynamicObject,
): Promise<void> {
  const applied = await client.apply(placed.resource, placed.object, { force: true, dryRun: true, signal });
  const content = ({ metadata: _, status: __, ...rest }: DynamicObject) => rest;
  if (jsonEqual(content(applied), content(present))) return;
  throw new UsageError(
    `${formatRef(refOf(placed))} is in this cluster already, and not as ${refusal.because}`,
    refusal.fix,
  );
}
