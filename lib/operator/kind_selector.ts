import { UsageError } from "../base/mod.ts";
import { formatGroupResource } from "../apimachinery/mod.ts";
import type { DiscoveredResource } from "../client/mod.ts";

/** Every kind that can be listed and watched, except Events. */
export const EVERYTHING: unique symbol = Symbol("everything");

/** Selects kinds by their names in discovery; all given fields must match. */
export interface KindSelector {
  /** The core group is the empty string. */
  readonly group?: string;
  /** The group's preferred one by default. */
  readonly version?: string;
  readonly kind?: string;
  readonly plural?: string;
  readonly singular?: string;
  /** As `wd`. */
  readonly shortName?: string;
  /** As `all`; kinds of several groups may share one. */
  readonly category?: string;
}

interface SelectedKinds {
  readonly kinds: readonly DiscoveredResource[];
  /** Kinds of several groups with the given name. */
  readonly ambiguous: readonly DiscoveredResource[];
}

/**
 * A name shared by several groups means the core group's kind, as in kubectl, or else none: serving the wrong kind
 * would be worse. A category means all of its kinds.
 */
export function selectKinds(
  selector: KindSelector | typeof EVERYTHING,
  discovered: readonly DiscoveredResource[],
): SelectedKinds {
  const usable = preferred(discovered, selector).filter(({ verbs }) =>
    verbs.includes("list") && verbs.includes("watch")
  );
  if (selector === EVERYTHING) {
    return { kinds: usable.filter(({ plural, kind }) => !(plural === "events" && kind === "Event")), ambiguous: [] };
  }
  const { group, kind, plural, singular, shortName, category } = selector;
  const found = usable.filter((each) =>
    (group === undefined || each.group === group) && (kind === undefined || each.kind === kind) &&
    (plural === undefined || each.plural === plural) && (singular === undefined || each.singular === singular) &&
    (shortName === undefined || each.shortNames.includes(shortName)) &&
    (category === undefined || each.categories.includes(category))
  );
  const byName = [kind, plural, singular, shortName].some((name) => name !== undefined) && group === undefined;
  if (!byName || category !== undefined || found.length < 2) return { kinds: found, ambiguous: [] };
  const core = found.filter((each) => each.group === "");
  return core.length > 0 ? { kinds: core, ambiguous: [] } : { kinds: [], ambiguous: found };
}

/** @throws {UsageError} for an empty selector: `EVERYTHING` selects all kinds. */
export function requireSelector(selector: KindSelector | typeof EVERYTHING): void {
  if (selector !== EVERYTHING && Object.values(selector).every((value) => value === undefined)) {
    throw new UsageError(
      "a selector of kinds is empty",
      "name a group, kind, plural, short name or category, or take EVERYTHING",
    );
  }
}

export function describeSelector(selector: KindSelector | typeof EVERYTHING): string {
  return selector === EVERYTHING
    ? "everything"
    : Object.entries(selector).map(([key, value]) => `${key}=${value}`).join(",");
}

/** Per kind, the selected version or the group's preferred one, which is first. */
function preferred(
  discovered: readonly DiscoveredResource[],
  selector: KindSelector | typeof EVERYTHING,
): readonly DiscoveredResource[] {
  const wanted = selector === EVERYTHING ? undefined : selector.version, seen = new Set<string>();
  return discovered.filter((each) => {
    if (wanted !== undefined) return each.version === wanted;
    const name = formatGroupResource(each);
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}
