import { formatGroupResource } from "../apimachinery/mod.ts";
import type { ResourceType } from "./resource_type.ts";

/**
 * Which resources are served: built-in ones and those of CRDs. Versions of one resource share one storage.
 *
 * The built-in types are made on first use, because a server that only answers health checks should start at once.
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

  /** Every served type, built-in ones first. */
  all(): readonly ResourceType[] {
    this.#all ??= [...this.#makeBuiltin(), ...[...this.#custom.values()].flat()];
    return this.#all;
  }

  /** The type of a path. */
  find(group: string, version: string, plural: string): ResourceType | undefined {
    this.#byPath ??= new Map(this.all().map((type) => [`${type.group}/${type.version}/${type.plural}`, type]));
    return this.#byPath.get(`${group}/${version}/${plural}`);
  }

  /** The type of an object. */
  findKind(group: string, version: string, kind: string): ResourceType | undefined {
    this.#byKind ??= new Map(this.all().map((type) => [`${type.group}/${type.version}/${type.kind}`, type]));
    return this.#byKind.get(`${group}/${version}/${kind}`);
  }

  /** Any version of a group's kind: owner references stay valid across versions. */
  findAnyVersion(group: string, kind: string): ResourceType | undefined {
    return this.all().find((type) => type.group === group && type.kind === kind);
  }

  /** A type whose objects are stored under `resource`. */
  byStorage(resource: string): ResourceType | undefined {
    return this.all().find((type) => storageResource(type) === resource);
  }

  /** The storage names of all namespaced resources, each once. */
  namespacedStorage(): string[] {
    return [...new Set(this.all().filter((type) => type.namespaced).map(storageResource))];
  }

  /** Serves the versions of a CRD from now on, or no longer where `types` is empty. */
  setCustom(crdName: string, types: readonly ResourceType[]): void {
    if (types.length > 0) this.#custom.set(crdName, types);
    else this.#custom.delete(crdName);
    this.#all = this.#byPath = this.#byKind = undefined;
  }

  /** Forgets every custom type. */
  clearCustom(): void {
    this.#custom.clear();
    this.#all = this.#byPath = this.#byKind = undefined;
  }
}

/** Where objects of a type are stored: one place for all versions; Events of both groups are the same objects. */
export function storageResource(type: { group: string; plural: string }): string {
  if (type.group === "events.k8s.io" && type.plural === "events") return "events";
  return formatGroupResource(type);
}
