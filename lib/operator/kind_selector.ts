import { UsageError } from "../base/mod.ts";
import { formatGroupResource } from "../apimachinery/mod.ts";
import type { DiscoveredResource } from "../client/mod.ts";

/** Every kind that can be listed and watched, but Events. */
export const EVERYTHING: unique symbol = Symbol("everything");

/** Selects kinds of a cluster; every given field must match. Names are those of discovery. */
export interface KindSelector {
  /** API group; the core group is the empty string. */
  readonly group?: string;
  /** API version; the group's preferred one where absent. */
  readonly version?: string;
  /** As `Widget`. */
  readonly kind?: string;
  /** As `widgets`. */
  readonly plural?: string;
  /** As `widget`. */
  readonly singular?: string;
  /** As `wd`. */
  readonly shortName?: string;
  /** As `all`: kinds of several groups may share one. */
  readonly category?: string;
}

/** What a selector found. */
interface SelectedKinds {
  readonly kinds: readonly DiscoveredResource[];
  /** Kinds of several groups that share the given name. */
  readonly ambiguous: readonly DiscoveredResource[];
}

/**
 * The kinds that a selector means. A name that kinds of several groups share means the core group's, as kubectl has it,
 * and where that has none, nothing: to serve the wrong one would be worse. A category means all of its kinds.
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

/** @throws {UsageError} for an empty selector: all kinds are selected by `EVERYTHING`. */
export function requireSelector(selector: KindSelector | typeof EVERYTHING): void {
  if (selector !== EVERYTHING && Object.values(selector).every((value) => value === undefined)) {
    throw new UsageError(
      "a selector of kinds is empty",
      "name a group, kind, plural, short name or category, or take EVERYTHING",
    );
  }
}

/** For people. */
export function describeSelector(selector: KindSelector | typeof EVERYTHING): string {
  return selector === EVERYTHING
    ? "everything"
    : Object.entries(selector).map(([key, value]) => `${key}=${value}`).join(",");
}

/** One version of each kind: the selected one, or the first, which is the group's preferred one. */
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
