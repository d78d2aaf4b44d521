import { describeError, formatJson } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";
import { lostFields } from "../admission/preserved_fields.ts";
import type { KindConversion, ObjectParts } from "../admission/mod.ts";
import type { CustomResource } from "../operator/mod.ts";

/** An object in one version. */
export interface ConversionSample {
  /** As `v1`. */
  readonly version: string;
  /** A spec of that version. */
  readonly spec: unknown;
  /** A status of that version, if any. */
  readonly status?: unknown;
}

/** A field that a round trip loses without the annotation. */
export interface ConversionLoss {
  /** The version that lost it. */
  readonly from: string;
  /** The version that it went through. */
  readonly through: string;
  /** As `spec.mode`. */
  readonly field: string;
  /** The value sent; undefined for none. */
  readonly sent: unknown;
  /** The value that came back; undefined for none. */
  readonly returned: unknown;
}

/**
 * Converts objects to every other version and back, and lists the fields that only an annotation keeps. A client that
 * writes a whole object without it loses them. Empty means none. With fast-check's samples it is a property.
 *
 * @throws {Error} naming each sample and version where a function fails, breaks a schema, or loses what is not kept.
 * @example
 * ```ts
 * import * as z from "zod";
 * import { defineResource } from "@pintle/pintle";
 * import { checkConversion } from "@pintle/pintle/testing";
 * const Widget = defineResource({
 *   group: "shop.example.com", version: "v2", kind: "Widget",
 *   spec: z.object({ gibibytes: z.int(), mode: z.enum(["a", "b"]).default("a") }),
 * }).withVersion({
 *   version: "v1",
 *   spec: z.object({ size: z.string() }),
 *   toHub: ({ spec }) => ({ spec: { gibibytes: Number.parseInt(spec.size) } }),
 *   fromHub: ({ spec }) => ({ spec: { size: `${spec.gibibytes}Gi` } }),
 * });
 * const [loss] = checkConversion(Widget, [{ version: "v2", spec: { gibibytes: 1, mode: "b" } }]);
 * if (loss?.field !== "spec.mode") throw new Error("v1 knows no mode");
 * ```
 */
export function checkConversion<Spec, Status extends object>(
  kind: CustomResource<Spec, Status>,
  samples: readonly ConversionSample[],
): ConversionLoss[] {
  const conversion = kind.conversion();
  if (!conversion) return [];
  const losses: ConversionLoss[] = [], mistakes: string[] = [];
  for (const { version: from, spec, status } of samples) {
    const object: DynamicObject = {
      apiVersion: `${kind.group}/${from}`,
      kind: kind.kind,
      metadata: { name: "sample" },
      spec,
      ...(status !== undefined && { status }),
    };
    const { problem } = conversion.read(object);
    if (problem !== undefined) mistakes.push(`${formatJson({ version: from, spec, status })}: ${problem}`);
    for (const through of conversion.versions.filter((version) => version !== from)) {
      const where = `${formatJson({ version: from, spec, status })} by way of ${through}`;
      try {
        const there = conversion.convert(object, through), back = conversion.convert(there.object, from);
        const { metadata: _, ...bare } = there.object, alone = conversion.convert(bare, from);
        mistakes.push(
          ...[...there.problems, ...back.problems, ...alone.problems].map((problem) => `${where}: ${problem}`),
        );
        losses.push(...lost(conversion, object, alone.object).map((field) => ({ from, through, ...field })));
        mistakes.push(
          ...lost(conversion, object, back.object).map(({ field }) => `${where}: ${field} does not come back`),
        );
      } catch (error) {
        mistakes.push(`${where}: ${describeError(error)}`);
      }
    }
  }
  if (mistakes.length > 0) throw new Error(mistakes.join("\n"));
  return losses;
}

function lost(conversion: KindConversion, sent: DynamicObject, returned: DynamicObject) {
  const parts = ({ spec, status }: DynamicObject) => ({ spec, status });
  const normal = (each: unknown) => conversion.read({ ...sent, ...each as ObjectParts }).parts;
  return lostFields(parts(sent), parts(returned), normal).map(({ path, is, was }) => ({
    field: path.join("."),
    sent: is,
    returned: was,
  }));
}
