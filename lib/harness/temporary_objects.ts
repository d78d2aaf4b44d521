import { type Clock, jsonEqual, UsageError } from "../base/mod.ts";
import { type ApiResource, type DynamicObject, keyOf } from "../apimachinery/mod.ts";
import { type Client, NotFoundError } from "../client/mod.ts";
import { Expectation } from "./expectation.ts";
import { formatRef, type Ref } from "./ref.ts";

export interface PlacedObject {
  readonly resource: ApiResource;
  readonly object: DynamicObject;
}

interface TemporaryObjectsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly waitMsMax: number;
  /** Ends the placing, not the removal. */
  readonly signal: AbortSignal;
  /** Update existing objects that differ, instead of refusing them. */
  readonly replace?: boolean;
  /** Refusal of an existing object that differs. If absent: it is not as the operator declares it. */
  readonly refusal?: { readonly because: string; readonly fix: string };
}

/**
 * Puts objects into a cluster: `apply` gets the missing ones, or all with `replace`. Disposing removes what was added,
 * in reverse order, and waits until it is gone. Existing objects stay as they were.
 *
 * @throws {UsageError} if an object exists and differs: others may rely on it.
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
  // Checks all before applying any. A lost answer of an apply must leave nothing, so it counts as created.
  for (const placed of absent) stack.defer(() => remove(client, placed));
  await apply(replace ? objects : absent);
  return stack.move();
}

function refOf({ resource, object }: PlacedObject): Ref<never> {
  return { resource, key: keyOf(object) } as Ref<never>;
}

/** Pods are deleted before their Deployment. */
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

/** An apply must not change an object, labels apart. */
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
