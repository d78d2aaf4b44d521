import type { Area } from "../script.ts";
import { apply } from "./apply.ts";
import { builtinDefaults } from "./builtin_defaults.ts";
import { builtinObjects } from "./builtin_objects.ts";
import { builtinWorkloads } from "./builtin_workloads.ts";
import { cel } from "./cel.ts";
import { crds } from "./crds.ts";
import { customResources } from "./custom_resources.ts";
import { jsonPatch } from "./json_patch.ts";
import { mergePatch } from "./merge_patch.ts";
import { collections } from "./collections.ts";
import { discovery } from "./discovery.ts";
import { hostile } from "./hostile.ts";
import { identity } from "./identity.ts";
import { lifecycle } from "./lifecycle.ts";
import { tables } from "./tables.ts";
import { watches } from "./watches.ts";
import { metadata } from "./metadata.ts";
import { strategicPatch } from "./strategic_patch.ts";

/** Every area, in the order of the report. */
export const AREAS: readonly Area[] = [
  metadata,
  customResources,
  crds,
  apply,
  mergePatch,
  jsonPatch,
  strategicPatch,
  builtinDefaults,
  builtinWorkloads,
  builtinObjects,
  cel,
  discovery,
  collections,
  tables,
  watches,
  lifecycle,
  identity,
  hostile,
];
