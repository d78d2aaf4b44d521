import type { Area } from "../script.ts";
import { apply } from "./apply.ts";
import { builtinDefaults } from "./builtin_defaults.ts";
import { builtinObjects } from "./builtin_objects.ts";
import { builtinWorkloads } from "./builtin_workloads.ts";
import { customResources } from "./custom_resources.ts";
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
  apply,
  strategicPatch,
  builtinDefaults,
  builtinWorkloads,
  builtinObjects,
  discovery,
  collections,
  tables,
  watches,
  lifecycle,
  identity,
  hostile,
];
