import type { KubeObject, ObjectKey } from "../../lib/apimachinery/mod.ts";

/** What the load made for itself: no operator may change or delete it. */
interface Made {
  readonly uid: string;
  readonly value: string;
}

/** `Kind namespace/name`. */
export function placeOf(kind: string, { namespace, name }: ObjectKey): string {
  return `${kind} ${namespace}/${name}`;
}

/**
 * The objects of users. A request without an answer may have been carried out: such a place may hold an object or not,
 * until the namespace goes.
 */
export class UsersObjects {
  readonly #made = new Map<string, Made>();
  readonly #unsure = new Set<string>();

  /** Places that hold an object of a user. */
  get places(): ReadonlySet<string> {
    return new Set(this.#made.keys());
  }

  /** Whether a user has, or may have, an object at a place. */
  mayHave(place: string): boolean {
    return this.#made.has(place) || this.#unsure.has(place);
  }

  /** A user is about to create or delete what stands at a place. */
  begin(place: string): void {
    this.#made.delete(place);
    this.#unsure.add(place);
  }

  /** The server has created it. */
  created(place: string, uid: string, value: string): void {
    this.#unsure.delete(place);
    this.#made.set(place, { uid, value });
  }

  /** There is certainly none of a user at the place: it was deleted, or its creation refused. */
  gone(place: string): void {
    this.#made.delete(place);
    this.#unsure.delete(place);
  }

  /** The namespace goes, with all that is in it. */
  namespaceGoes(namespace: string): void {
    for (const place of [...this.#made.keys(), ...this.#unsure]) {
      if (place.includes(` ${namespace}/`)) this.gone(place);
    }
  }

  /** Nothing says whether the namespace goes. */
  namespaceMayGo(namespace: string): void {
    for (const place of this.#made.keys()) {
      if (place.includes(` ${namespace}/`)) this.begin(place);
    }
  }

  /**
   * What has become of users' objects that must not have: `find` looks a place up. `valueOf` reads what the user wrote.
   */
  problems<T extends KubeObject>(find: (place: string) => T | undefined, valueOf: (object: T) => unknown): string[] {
    return [...this.#made].flatMap(([place, { uid, value }]) => {
      const object = find(place);
      if (!object) return [`${place}: a user's object is gone`];
      if (object.metadata?.uid !== uid) return [`${place}: a user's object was replaced`];
      if (valueOf(object) !== value) return [`${place}: a user's object was changed`];
      return (object.metadata.ownerReferences ?? []).length > 0 ? [`${place}: a user's object was taken`] : [];
    });
  }
}
