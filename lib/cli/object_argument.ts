import { UsageError } from "../base/mod.ts";
import { type ApiResource, formatGroupResource, formatKey, type ObjectKey } from "../apimachinery/mod.ts";
import { type Client, isNotFound } from "../client/mod.ts";
import { type CustomResource, kindsSelected, type Operator } from "../operator/mod.ts";

/** What `KIND/NAME` or `KIND` selects; everything if empty. */
export interface Selection {
  readonly kind?: ApiResource;
  readonly name?: string;
}

/** Reports mistakes before any request, unless only the cluster knows the operator's kinds. @throws {UsageError} */
export function requireSelection(operator: Operator, wanted: string | undefined): void {
  if (operator.selections.length === 0) parseSelection(declaredKinds(operator), wanted);
}

/** Reads `KIND` or `KIND/NAME`, as kubectl names kinds. @throws {UsageError} if the operator has no such kind. */
export async function selectionOf(
  operator: Operator,
  client: Client,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<Selection> {
  const selected = (await kindsSelected(operator, client, signal)).map(({ kind }) => kind);
  return parseSelection([...declaredKinds(operator), ...selected], wanted);
}

function declaredKinds({ declarations }: Operator): ApiResource[] {
  return declarations.map(({ kind }) => kind);
}

/** Reads `KIND` or `KIND/NAME`. @throws {UsageError} if the operator has no such kind. */
function parseSelection(kinds: readonly ApiResource[], wanted: string | undefined): Selection {
  if (wanted === undefined) return {};
  const slash = wanted.indexOf("/"), word = slash < 0 ? wanted : wanted.slice(0, slash);
  const name = slash < 0 ? undefined : wanted.slice(slash + 1);
  const kind = kinds.find((each) => wordsOf(each).includes(word.toLowerCase()));
  if (kind && name !== "") return { kind, name };
  const known = kinds.map((each) => each.kind.toLowerCase()).join(", ");
  throw new UsageError(
    kind ? `${wanted} names no object` : `the operator has no kind "${word}"`,
    `give KIND/NAME, KIND, or nothing for every object; its kinds are ${known}`,
  );
}

function wordsOf(kind: ApiResource): string[] {
  const singular = kind.kind.toLowerCase(), words = [singular, kind.plural, formatGroupResource(kind)];
  if (!("crd" in kind)) return words;
  const { spec } = (kind as unknown as CustomResource<unknown, object>).crd() as {
    spec?: { names?: { shortNames?: string[] } };
  };
  return [...words, ...spec?.names?.shortNames ?? []];
}

/** @throws {NoObjectError} if it does not exist. */
export async function requireObject(
  client: Client,
  kind: ApiResource,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.get(kind, key, { metadataOnly: true, signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const where = key.namespace ? "\n  fix: name its namespace with --namespace" : "";
    throw new NoObjectError(`there is no ${kind.kind} ${formatKey(key)}${where}`);
  }
}

class NoObjectError extends Error {
  override readonly name = "NoObjectError";
}
