import { formatJson, isObject, jsonClone, jsonEqual, setKey } from "../base/mod.ts";

/** RFC 6902. */
export interface JsonPatchOperation {
  op: string;
  path: string;
  from?: string;
  value?: unknown;
}

/** `kind` separates an unmet `test` from a patch that does not fit or is malformed. */
export class JsonPatchError extends Error {
  override readonly name = "JsonPatchError";

  constructor(message: string, readonly kind: "test-failed" | "does-not-apply" | "malformed") {
    super(message);
  }
}

/** As in kube-apiserver. */
export const JSON_PATCH_OPERATIONS_MAX = 10_000;

/** Bytes of JSON that a patch's copies may add, as in kube-apiserver: each may double the document. */
const JSON_PATCH_COPY_BYTES_MAX = 3 * 1024 * 1024;

type Container = Record<string, unknown> | unknown[];

/**
 * The document after `operations` (RFC 6902), all of them or none.
 *
 * As kube-apiserver: `remove` and `replace` need an existing key, `test` of an absent key equals null, a negative index
 * counts from the end. Neither argument is edited.
 *
 * @throws {JsonPatchError} with kube-apiserver's wording.
 */
export function applyJsonPatch<T>(document: T, operations: unknown): T {
  if (!Array.isArray(operations)) throw new JsonPatchError("a JSON patch is an array of operations", "malformed");
  if (operations.length > JSON_PATCH_OPERATIONS_MAX) {
    throw new JsonPatchError(
      `The allowed maximum operations in a JSON patch is ${JSON_PATCH_OPERATIONS_MAX}, got ${operations.length}`,
      "malformed",
    );
  }
  let patched: unknown = jsonClone(document), copiedBytes = 0;
  for (const operation of operations.map(parseOperation)) {
    if (operation.op === "copy") copiedBytes = copied(patched, operation, copiedBytes);
    patched = step(patched, operation);
  }
  return patched as T;
}

/** Bytes that the patch's copies have added, with this one. */
function copied(document: unknown, { from }: JsonPatchOperation, before: number): number {
  const bytes = before + new TextEncoder().encode(formatJson(read(document, from!, "copy"))).length;
  if (bytes <= JSON_PATCH_COPY_BYTES_MAX) return bytes;
  throw new JsonPatchError(
    `Unable to complete the copy, the accumulated size increase of copy is ${bytes}, exceeding the limit ` +
      `${JSON_PATCH_COPY_BYTES_MAX}`,
    "does-not-apply",
  );
}

function parseOperation(operation: unknown): JsonPatchOperation {
  if (!isObject(operation) || typeof operation.op !== "string") {
    throw new JsonPatchError("Unexpected kind: unknown", "malformed");
  }
  const { op, path, from } = operation;
  if (typeof path !== "string") {
    throw new JsonPatchError(`${op} operation failed to decode path: missing value`, "malformed");
  }
  if ((op === "move" || op === "copy") && typeof from !== "string") {
    throw new JsonPatchError(`${op} operation failed to decode from: missing value`, "malformed");
  }
  return { op, path, from: from as string | undefined, value: operation.value };
}

function step(document: unknown, operation: JsonPatchOperation): unknown {
  const { op, path } = operation;
  switch (op) {
    case "add":
    case "replace":
      if (path === "") return jsonClone(operation.value ?? null);
      return put(document, path, jsonClone(operation.value ?? null), { how: op, op });
    case "remove":
      take(document, path, "remove");
      return document;
    case "move": {
      const value = take(document, operation.from!, "move");
      return path === "" ? value : put(document, path, value, { how: "add", op: "move" });
    }
    case "copy": {
      const value = jsonClone(read(document, operation.from!, "copy"));
      return path === "" ? value : put(document, path, value, { how: "add", op: "copy" });
    }
    case "test":
      if (!jsonEqual(read(document, path, "test") ?? null, operation.value ?? null)) {
        throw new JsonPatchError(`testing value ${path} failed: test failed`, "test-failed");
      }
      return document;
    default:
      throw new JsonPatchError(`Unexpected kind: ${op}`, "malformed");
  }
}

function put(
  document: unknown,
  path: string,
  value: unknown,
  { how, op }: { readonly how: "add" | "replace"; readonly op: string },
): unknown {
  const [container, key] = locate(document, path, op);
  if (Array.isArray(container)) {
    if (how === "add" && key === "-") container.push(value);
    else if (how === "add") container.splice(indexOf(container, key, { path, op }, container.length + 1), 0, value);
    else container[indexOf(container, key, { path, op })] = value;
    return document;
  }
  if (how === "replace" && !Object.hasOwn(container, key)) {
    throw new JsonPatchError(
      `replace operation does not apply: doc is missing key: ${path}: missing value`,
      "does-not-apply",
    );
  }
  setKey(container, key, value);
  return document;
}

function take(document: unknown, path: string, op: string): unknown {
  const [container, key] = locate(document, path, op);
  if (Array.isArray(container)) return container.splice(indexOf(container, key, { path, op }), 1)[0];
  if (!Object.hasOwn(container, key)) {
    throw new JsonPatchError(
      `error in ${op} for path: '${path}': Unable to remove nonexistent key: ${key}: missing value`,
      "does-not-apply",
    );
  }
  const value = container[key];
  delete container[key];
  return value;
}

function read(document: unknown, path: string, op: string): unknown {
  if (path === "") return document;
  const [container, key] = locate(document, path, op);
  if (Array.isArray(container)) return container[indexOf(container, key, { path, op })];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

function indexOf(
  list: unknown[],
  key: string,
  { path, op }: { readonly path: string; readonly op: string },
  size = list.length,
): number {
  const index = /^-?\d+$/.test(key) ? Number(key) : NaN;
  if (Number.isNaN(index)) {
    throw new JsonPatchError(
      `error in ${op} for path: '${path}': value was not a proper array index: '${key}': invalid index referenced`,
      "does-not-apply",
    );
  }
  if (index >= size || index < -list.length) {
    throw new JsonPatchError(
      `error in ${op} for path: '${path}': Unable to access invalid index: ${index}: invalid index referenced`,
      "does-not-apply",
    );
  }
  return index < 0 ? index + size : index;
}

function locate(document: unknown, path: string, op: string): [Container, string] {
  const parts = path.split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  let current = path.startsWith("/") ? document : undefined;
  for (const part of parts.slice(1, -1)) {
    if (Array.isArray(current)) {
      const index = Number(part);
      current = current[index < 0 ? index + current.length : index];
    } else current = isObject(current) && Object.hasOwn(current, part) ? current[part] : undefined;
  }
  if (!isObject(current) && !Array.isArray(current)) {
    const quoted = op === "add" || op === "remove" ? `"${path}"` : path;
    throw new JsonPatchError(
      `${op} operation does not apply: doc is missing path: ${quoted}: missing value`,
      "does-not-apply",
    );
  }
  return [current as Container, parts.at(-1)!];
}
