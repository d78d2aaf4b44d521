import {
  AlreadyExistsError,
  InvalidError,
  type KubeObject,
  NotFoundError,
  type ObjectKey,
  TemporaryError,
} from "../mod.ts";
import type { Client, JsonObject, JsonValue } from "../client.ts";
import type { ApiResource } from "../client.ts";
import {
  CLAIM_ANNOTATION,
  claimText,
  isCopyOf,
  ORPHAN_ANNOTATION,
  REPLICATION_ANNOTATION,
  REPLICATION_LABEL,
  replicationText,
  VERSION_ANNOTATION,
} from "./claim.ts";
import type { CopyRecord } from "./copy_record.ts";
import { type Marks, outdatedMarks } from "./plan.ts";
import { sameContent, type SourceObject } from "./source.ts";
import { type Claimant, OccupantReader, OccupiedError, refusal } from "./takeover.ts";

/** An object of the copy's name is being deleted: creating the copy must wait. */
export class LeavingError extends TemporaryError {
  override readonly name = "LeavingError";

  constructor() {
    super("the object is being deleted and waits for a finalizer", { reason: "CopyTerminating" });
  }
}

interface CopyWriterOptions {
  readonly client: Client;
  readonly resource: ApiResource;
  readonly claimant: Claimant;
  readonly name: string;
  readonly marks: (namespace: string) => Marks;
  /** Projects an object's metadata for {@linkcode refusal}. */
  readonly transform: (object: KubeObject) => CopyRecord;
  /** Reads the source, once per pass. */
  readonly source: () => Promise<SourceObject>;
}

type Operation = { op: "test" | "add"; path: string; value: JsonValue } | { op: "remove"; path: string };

/** Writes one Replication's copies, each by the fewest safe requests. */
export class CopyWriter {
  readonly #options: CopyWriterOptions;

  constructor(options: CopyWriterOptions) {
    this.#options = options;
  }

  /**
   * Creates the copy. An apply could take over an object that was just created; a plain create cannot.
   *
   * @throws {OccupiedError} if a foreign object is in the way.
   */
  async create(namespace: string, occupied: boolean): Promise<void> {
    const { client, resource } = this.#options;
    if (occupied && await this.#resolveConflict(namespace)) return;
    const source = await this.#options.source();
    try {
      await client.create(resource, this.#body(namespace, source), { metadataOnly: true });
    } catch (error) {
      if (!(error instanceof AlreadyExistsError)) throw error;
      if (!(await this.#resolveConflict(namespace))) {
        throw new TemporaryError(`the conflicting object in ${namespace} was just deleted`, { delay: 100 });
      }
    }
  }

  /** Reads the copy and updates it only if it differs; returns the version that shows the source. */
  async verify(copy: CopyRecord): Promise<string | undefined> {
    const { client, resource } = this.#options;
    const source = await this.#options.source();
    const live = await client.find<SourceObject>(resource, this.#key(copy.metadata!.namespace!));
    if (!live) return void await this.create(copy.metadata!.namespace!, false);
    if (sameContent(live, source)) return live.metadata!.resourceVersion;
    return await this.update(copy);
  }

  /** Updates the copy. If that is impossible in place (type, immutable content), deletes and recreates it. */
  async update(copy: CopyRecord): Promise<string | undefined> {
    const { resource, claimant, transform } = this.#options, namespace = copy.metadata!.namespace!;
    const source = await this.#options.source();
    try {
      const operations = [
        ...this.#preconditions(copy),
        ...this.#markOperations(copy),
        ...contentOperations(resource, source),
      ];
      const patched = await this.#patch(namespace, operations);
      return patched.metadata?.resourceVersion;
    } catch (error) {
      if (error instanceof NotFoundError) return void await this.create(namespace, false);
      await this.#recreate(namespace, source, error, (live) => isCopyOf(transform(live), claimant.replication));
    }
  }

  /**
   * Deletes a copy that is no longer declared, or orphans it without a claim. Skips a missing one.
   *
   * @throws {ConflictError} if it changed since it was read: it may have been taken over.
   */
  async remove(copy: CopyRecord, deletionPolicy: "Delete" | "Orphan"): Promise<void> {
    const { client, resource, claimant } = this.#options;
    const { namespace, name, uid, resourceVersion, labels = {}, annotations = {} } = copy.metadata!;
    const key = { namespace, name: name! };
    try {
      if (deletionPolicy === "Delete") {
        await client.delete(resource, key, { uid, resourceVersion });
        return;
      }
      const drop = (field: string, marks: Readonly<Record<string, string>>, keys: readonly string[]): Operation[] =>
        keys.filter((mark) => Object.hasOwn(marks, mark)).map((mark) => ({
          op: "remove",
          path: `/metadata/${field}/${pointer(mark)}`,
        }));
      await client.patch(resource, key, {
        type: "json",
        metadataOnly: true,
        body: [
          ...this.#preconditions(copy),
          ...drop("labels", labels, [REPLICATION_LABEL]),
          ...drop("annotations", annotations, [REPLICATION_ANNOTATION, CLAIM_ANNOTATION, VERSION_ANNOTATION]),
          {
            op: "add",
            path: `/metadata/annotations/${pointer(ORPHAN_ANNOTATION)}`,
            value: replicationText(claimant.replication),
          },
        ] as JsonValue,
      });
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  }

  /** What a patch requires: the copy is the object that was read, and still has the claim. */
  #preconditions({ metadata }: CopyRecord): Operation[] {
    const { namespace, name, uid } = metadata!, claim = `/metadata/annotations/${pointer(CLAIM_ANNOTATION)}`;
    return [
      { op: "test", path: "/metadata/uid", value: uid! },
      { op: "test", path: claim, value: claimText(this.#options.claimant.replication, { namespace, name: name! }) },
    ];
  }

  /** Takes the object in the copy's place, if allowed; false if there is none. */
  async #resolveConflict(namespace: string): Promise<boolean> {
    const { client, resource, claimant, transform } = this.#options;
    const found = await client.find<KubeObject>(resource, this.#key(namespace), { metadataOnly: true });
    if (!found) return false;
    if (found.metadata?.deletionTimestamp) throw new LeavingError();
    const occupant = await new OccupantReader(client).describe(transform(found), resource.kind);
    const reason = refusal(occupant, claimant);
    if (reason) throw new OccupiedError(reason);
    await this.#adopt(namespace, occupant.record);
    return true;
  }

  async #adopt(namespace: string, found: CopyRecord): Promise<void> {
    const { resource } = this.#options, { resourceVersion } = found.metadata!;
    const source = await this.#options.source();
    // Tests the version too: the adopted object is the one that was read.
    const guards: Operation[] = [{ op: "test", path: "/metadata/resourceVersion", value: resourceVersion! }];
    try {
      await this.#patch(namespace, [...guards, ...this.#markOperations(found), ...contentOperations(resource, source)]);
    } catch (error) {
      await this.#recreate(namespace, source, error, ({ metadata }) => metadata?.resourceVersion === resourceVersion);
    }
  }

  /**
   * Deletes and recreates the object after the server refused a patch of what never changes in place: the type, or
   * immutable content. Only reading the object shows which.
   *
   * @param mayDelete Whether the present object may be deleted.
   * @throws {unknown} `refused`, if it had another cause.
   */
  async #recreate(
    namespace: string,
    source: SourceObject,
    refused: unknown,
    mayDelete: (live: SourceObject) => boolean,
  ): Promise<void> {
    const { client, resource } = this.#options;
    if (!(refused instanceof InvalidError)) throw refused;
    const live = await client.find<SourceObject>(resource, this.#key(namespace));
    if (!live || !mayDelete(live) || !isImmutableChange(live, source)) throw refused;
    const { uid, resourceVersion } = live.metadata!;
    await client.delete(resource, this.#key(namespace), { uid, resourceVersion });
    await client.create(resource, this.#body(namespace, source), { metadataOnly: true });
  }

  #patch(namespace: string, operations: readonly Operation[]): Promise<KubeObject> {
    const { client, resource } = this.#options;
    return client.patch<KubeObject>(resource, this.#key(namespace), {
      type: "json",
      metadataOnly: true,
      body: operations as unknown as JsonValue,
    });
  }

  #markOperations(object: CopyRecord): Operation[] {
    const marks = this.#options.marks(object.metadata!.namespace!), outdated = outdatedMarks(object, marks);
    const operations: Operation[] = [];
    for (const field of ["labels", "annotations"] as const) {
      const path = `/metadata/${field}`, present = object.metadata?.[field];
      if (!present) operations.push({ op: "add", path, value: { ...marks[field] } });
      else {
        for (const [key, value] of Object.entries(marks[field])) {
          operations.push({ op: "add", path: `${path}/${pointer(key)}`, value });
        }
        for (const key of outdated[field]) {
          if (Object.hasOwn(present, key)) operations.push({ op: "remove", path: `${path}/${pointer(key)}` });
        }
      }
    }
    return operations;
  }

  #body(namespace: string, source: SourceObject): KubeObject & JsonObject {
    const { resource, name } = this.#options,
      marks = this.#options.marks(namespace),
      { type, data, binaryData, immutable } = source;
    return {
      apiVersion: "v1",
      kind: resource.kind,
      metadata: { name, namespace, labels: { ...marks.labels }, annotations: { ...marks.annotations } },
      ...(type === undefined ? {} : { type }),
      ...(data === undefined ? {} : { data }),
      ...(binaryData === undefined ? {} : { binaryData }),
      ...(immutable ? { immutable } : {}),
    } as KubeObject & JsonObject;
  }

  #key(namespace: string): ObjectKey {
    return { namespace, name: this.#options.name };
  }
}

/** Whether an object can never hold what the source holds. */
function isImmutableChange(live: SourceObject, source: SourceObject): boolean {
  return live.immutable === true ? !sameContent(live, source) : (live.type ?? "") !== (source.type ?? "");
}

/**
 * Replaces the whole content. Names `type` and `immutable`, so that the server refuses a change of them. Null is an
 * absent field, as in a copy that was created.
 */
function contentOperations(resource: ApiResource, source: SourceObject): Operation[] {
  const operations: Operation[] = [{ op: "add", path: "/data", value: source.data ?? {} }];
  if (resource.kind === "ConfigMap") {
    operations.push({ op: "add", path: "/binaryData", value: source.binaryData ?? {} });
  } else operations.push({ op: "add", path: "/type", value: source.type ?? "Opaque" });
  operations.push({ op: "add", path: "/immutable", value: source.immutable ? true : null });
  return operations;
}

/** A key in a JSON pointer (RFC 6901). */
function pointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
