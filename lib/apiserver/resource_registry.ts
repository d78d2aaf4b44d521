import { formatGroupResource } from "../apimachinery/mod.ts";
import type { ResourceType } from "./resource_type.ts";

/**
 * Built-in resources and those of CRDs; versions share one storage. Built-in types are made on first use, so that a
 * server starts fast.
 */
export class ResourceRegistry {
  readonly #makeBuiltin: () => readonly ResourceType[];
  readonly #custom = new Map<string, readonly ResourceType[]>();
  #all: readonly ResourceType[] | undefined;
  #byPath: Map<string, ResourceType> | undefined;
  #byKind: Map<string, ResourceType> | undefined;

  constructor(makeBuiltin: () => readonly ResourceType[]) {
    this.#makeBuiltin = makeBuiltin;
  }

  all(): readonly ResourceType[] {
    this.#all ??= [...this.#makeBuiltin(), ...[...this.#custom.values()].flat()];
    return this.#all;
  }

  find(group: string, version: string, plural: string): ResourceType | undefined {
    this.#byPath ??= new Map(this.all().map((type) => [`${type.group}/${type.version}/${type.plural}`, type]));
    return this.#byPath.get(`${group}/${version}/${plural}`);
  }

  findKind(group: string, version: string, kind: string): ResourceType | undefined {
    this.#byKind ??= new Map(this.all().map((type) => [`${type.group}/${type.version}/${type.kind}`, type]));
    return this.#byKind.get(`${group}/${version}/${kind}`);
  }

  isBuiltinGroup(group: string): boolean {
    return this.all().some((type) => type.builtin && type.group === group);
  }

  /** Owner references stay valid across versions. */
  findAnyVersion(group: string, kind: string): ResourceType | undefined {
    return this.all().find((type) => type.group === group && type.kind === kind);
  }

  byStorage(resource: string): ResourceType | undefined {
    return this.all().find((type) => storageResource(type) === resource);
  }

  namespacedStorage(): string[] {
    return [...new Set(this.all().filter((type) => type.namespaced).map(storageResource))];
  }

  /** Empty `types` removes the CRD. */
  setCustom(crdName: string, types: readonly ResourceType[]): void {
    if (types.length > 0) this.#custom.set(crdName, types);
    else this.#custom.delete(crdName);
    this.#all = this.#byPath = this.#byKind = undefined;
  }

  clearCustom(): void {
    this.#custom.clear();
    this.#all = this.#byPath = this.#byKind = undefined;
  }
}

/** Shared by all versions, and by both groups of Events. */
export function storageResource(type: { group: string; plural: string }): string {
  if (type.group === "events.k8s.io" && type.plural === "events") return "events";
  return formatGroupResource(type);
}
