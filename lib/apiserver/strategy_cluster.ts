import { isObject } from "../base/mod.ts";
import { formatTime } from "../apimachinery/mod.ts";
import type { Strategy } from "./strategy.ts";

/** No claim is bound yet. */
export const persistentVolumeStrategy: Strategy = {
  prepareForCreate(object, { nowMs }) {
    object.status = { phase: "Pending", lastPhaseTransitionTime: formatTime(nowMs) };
  },
};

/** Data sources of other kinds were dropped before there was `dataSourceRef`, which a known one fills. */
export const claimStrategy: Strategy = {
  prepareForCreate({ spec }) {
    if (!isObject(spec) || !isObject(spec.dataSource)) return;
    const { kind, apiGroup } = spec.dataSource;
    const isClaim = kind === "PersistentVolumeClaim" && !apiGroup;
    const isSnapshot = kind === "VolumeSnapshot" && apiGroup === "snapshot.storage.k8s.io";
    if (!isClaim && !isSnapshot) delete spec.dataSource;
    else spec.dataSourceRef ??= spec.dataSource;
  },
};

/** What a class means does not change, so there is one generation. */
export const priorityClassStrategy: Strategy = {
  prepareForCreate: ({ metadata }) => void (metadata!.generation = 1),
  prepareForUpdate: ({ metadata }) => void (metadata!.generation = 1),
};
