import { isObject, jsonEqual } from "../base/mod.ts";
import type { StatusCause } from "../apimachinery/mod.ts";
import { forbiddenField, invalidValue, tooLong } from "./api_error.ts";
import type { Strategy } from "./strategy.ts";
import { configKeyFaults } from "./validation/names.ts";

const DATA_BYTES_MAX = 1024 * 1024;

export const configMapStrategy: Strategy = {
  validate(object, old) {
    const causes = [...dataKeyCauses(object.data, "data"), ...dataKeyCauses(object.binaryData, "binaryData")];
    const data = isObject(object.data) ? object.data : {},
      binary = isObject(object.binaryData) ? object.binaryData : {};
    for (const key of Object.keys(data)) {
      if (Object.hasOwn(binary, key)) {
        causes.push(invalidValue(`data[${key}]`, key, "duplicate of key present in binaryData"));
      }
    }
    if (bytesOf(data) + bytesOf(binary) * 0.75 > DATA_BYTES_MAX) causes.push(tooLong("", DATA_BYTES_MAX));
    if (old?.immutable === true) {
      const why = "field is immutable when `immutable` is set";
      if (object.immutable !== true) causes.push(forbiddenField("immutable", why));
      for (const field of ["data", "binaryData"]) {
        if (!jsonEqual(object[field] ?? {}, old[field] ?? {})) causes.push(forbiddenField(field, why));
      }
    }
    return causes;
  },
};

function bytesOf(data: Record<string, unknown>): number {
  const encoder = new TextEncoder();
  return Object.values(data).reduce<number>((sum, value) => sum + encoder.encode(String(value)).length, 0);
}

/** For Secrets too. */
export function dataKeyCauses(data: unknown, field: string): StatusCause[] {
  if (!isObject(data)) return [];
  return Object.keys(data).flatMap((key) =>
    configKeyFaults(key).map((fault) => invalidValue(`${field}[${key}]`, key, fault))
  );
}
