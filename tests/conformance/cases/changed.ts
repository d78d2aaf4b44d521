import { formatJson, isObject } from "../../../lib/base/mod.ts";
import { create, patch, type Script } from "../script.ts";
import type { Target } from "./targets.ts";

/** Removes the field. */
export const ABSENT = Symbol("absent");

/** A copy with one field changed; parents that are missing are made. */
export function withField<T>(
  object: T,
  path: string,
  value: unknown,
  separator: string = path.includes("/") ? "/" : ".",
): T {
  const copy = structuredClone(object), keys = path.split(separator);
  // deno-lint-ignore no-explicit-any -- paths lead into objects of any shape
  let at: any = copy;
  for (const [index, key] of keys.slice(0, -1).entries()) {
    at = at[key] ??= /^\d+$/.test(keys[index + 1]!) ? [] : {};
  }
  const last = keys.at(-1)!;
  if (value !== ABSENT) at[last] = value;
  else if (Array.isArray(at)) at.splice(Number(last), 1);
  else delete at[last];
  return copy;
}

const TEXT_MAX = 200;

function shown(value: unknown): string {
  if (value === ABSENT) return "absent";
  const text = formatJson(value);
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}

interface Named extends Record<string, unknown> {
  readonly metadata: { readonly name: string };
}

function named({ apiVersion, kind }: Target, object: Record<string, unknown>): Named {
  const metadata = { name: "a", ...isObject(object.metadata) ? object.metadata : {} };
  return { apiVersion, kind, ...object, metadata };
}

/** `given` names the base. A script per value: the object is created with this one field changed. */
export function createdWith(
  kind: Target,
  base: Record<string, unknown>,
  fields: Readonly<Record<string, readonly unknown[]>>,
  given: string = kind.kind,
): Script[] {
  return Object.entries(fields).flatMap(([path, values]) =>
    values.map((value) => ({
      name: `${given} with ${path} ${shown(value)}`,
      steps: [create(kind.path, withField(named(kind, base), path, value))],
    }))
  );
}

/** A script per value: the object is applied with this one field changed. */
export function appliedWith(
  kind: Target,
  base: Record<string, unknown>,
  fields: Readonly<Record<string, readonly unknown[]>>,
  query: string = "",
): Script[] {
  return Object.entries(fields).flatMap(([path, values]) =>
    values.map((value) => ({
      name: `${kind.kind} applied with ${path} ${shown(value)}${query}`,
      steps: [patch("apply", `${kind.path}/a${query}`, withField(named(kind, base), path, value))],
    }))
  );
}

/** A script per value: the object is created, and a merge patch changes this one field. */
export function changedTo(
  kind: Target,
  base: Record<string, unknown>,
  fields: Readonly<Record<string, readonly unknown[]>>,
  given: string = kind.kind,
): Script[] {
  return Object.entries(fields).flatMap(([path, values]) =>
    values.map((value) => ({
      name: `${given}, ${path} changed to ${shown(value)}`,
      steps: [
        create(kind.path, named(kind, base)),
        patch("merge", `${kind.path}/${named(kind, base).metadata.name}`, patchOf(path, value)),
      ],
    }))
  );
}

function patchOf(path: string, value: unknown): unknown {
  const keys = path.split(path.includes("/") ? "/" : ".");
  return keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value === ABSENT ? null : value);
}
