import { formatTime } from "../apimachinery/mod.ts";
import type { Strategy } from "./strategy.ts";

/** No claim is bound yet. */
export const persistentVolumeStrategy: Strategy = {
  prepareForCreate(object, { nowMs }) {
    object.status = { phase: "Pending", lastPhaseTransitionTime: formatTime(nowMs) };
  },
};

/** What a class means does not change, so there is one generation. */
export const priorityClassStrategy: Strategy = {
  prepareForCreate: ({ metadata }) => void (metadata!.generation = 1),
  prepareForUpdate: ({ metadata }) => void (metadata!.generation = 1),
};
