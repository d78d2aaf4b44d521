import { UsageError } from "../base/mod.ts";
import { type ApiResource, formatGroupResource, formatKey, type ObjectKey } from "../apimachinery/mod.ts";
import { type Client, isNotFound } from "../client/mod.ts";
import { type CustomResource, kindsSelected, type Operator } from "../operator/mod.ts";

/** What `KIND/NAME` or `KIND` selects; everything if empty. */
export interface Selection {
  readonly kind?: ApiResource;
  readonly name?: string;
}

/** An argument that selects objects. */
export interface ObjectArgument {
  readonly text: string | undefined;
  /** Whether it must be `KIND/NAME`. */
  readonly isOne?: boolean;
}

/** Reports mistakes before any request, unless only the cluster knows the operator's kinds. @throws {UsageError} */
export function requireSelection(operator: Operator, wanted: ObjectArgument): void {
  if (operator.selections.length === 0) parseSelection(declaredKinds(operator), wanted);
}

/** Reads the argument, with kinds as kubectl names them. @throws {UsageError} if the operator has no such kind. */
export async function selectionOf(
  operator: Operator,
  client: Client,
  wanted: ObjectArgument,
  signal: AbortSignal,
): Promise<Selection> {
  const selected = (await kindsSelected(operator, client, signal)).map(({ kind }) => kind);
  return parseSelection([...declaredKinds(operator), ...selected], wanted);
}

function declaredKinds({ declarations }: Operator): ApiResource[] {
  return declarations.map(({ kind }) => kind);
}

function parseSelection(kinds: readonly ApiResource[], { text, isOne = false }: ObjectArgument): Selection {
  if (text === undefined) return {};
  const slash = text.indexOf("/"), word = slash < 0 ? text : text.slice(0, slash);
  const name = slash < 0 ? undefined : text.slice(slash + 1);
  const kind = kinds.find((each) => wordsOf(each).includes(word.toLowerCase()));
  if (kind && name !== "" && (name !== undefined || !isOne)) return { kind, name };
  const known = kinds.map((each) => each.kind.toLowerCase()).join(", ");
  throw new UsageError(
    kind ? `${text} names no object` : `the operator has no kind "${word}"`,
    `give KIND/NAME${isOne ? "" : ", KIND, or nothing for every object"}; its kinds are ${known}`,
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
    const list = `kubectl get ${formatGroupResource(kind)}`;
    const fix = kind.namespaced
      ? `name its namespace with --namespace, or correct its name: \`${list} --all-namespaces\` lists all of them`
      : `correct its name: \`${list}\` lists all of them`;
    throw new NoObjectError(`there is no ${kind.kind} ${formatKey(key)}\n  fix: ${fix}`);
  }
}

class NoObjectError extends Error {
  override readonly name = "NoObjectError";
}
