import { UsageError } from "../base/mod.ts";
import { type ApiResource, formatGroupResource } from "../apimachinery/mod.ts";
import { type Client, discover, type DiscoveredResource } from "../client/mod.ts";
import type { AdmissionDeclaration } from "../admission/mod.ts";
import { type ControllerDeclaration, emptyDeclaration } from "../controller/mod.ts";
import type { HandledStateStorage } from "../handling/mod.ts";
import { builtinKind, type BuiltinObject } from "./builtin_kinds.ts";
import { KindHandlers } from "./kind_handlers.ts";
import { selectKinds } from "./kind_selector.ts";
import type { KindSelection, OperatorDeclaration } from "./operator_declaration.ts";

export interface SelectedKind {
  readonly selection: KindSelection;
  readonly kind: DiscoveredResource;
}

/**
 * A cluster's selected kinds, each by the first match. Skips `declared` kinds, which have their own handlers;
 * `onAmbiguous` gets kinds that several groups share.
 */
export function selectedKinds(
  selections: readonly KindSelection[],
  declared: readonly ApiResource[],
  discovered: readonly DiscoveredResource[],
  onAmbiguous: (selection: KindSelection, kinds: readonly DiscoveredResource[]) => void = () => {},
): Map<string, SelectedKind> {
  const own = new Set(declared.map(formatGroupResource)), found = new Map<string, SelectedKind>();
  for (const selection of selections) {
    const { kinds, ambiguous } = selectKinds(selection.selector, discovered);
    if (ambiguous.length > 0) onAmbiguous(selection, ambiguous);
    for (const kind of kinds) {
      const name = formatGroupResource(kind);
      if (!own.has(name) && !found.has(name)) found.set(name, { selection, kind });
    }
  }
  return found;
}

/**
 * The selected kinds served now; makes no request without selections.
 *
 * @throws API errors of the discovery.
 */
export async function kindsSelected(
  { selections, declarations }: Pick<OperatorDeclaration, "selections" | "declarations">,
  client: Client,
  signal: AbortSignal,
): Promise<SelectedKind[]> {
  if (selections.length === 0) return [];
  return [...selectedKinds(selections, declarations.map(({ kind }) => kind), await discover(client, signal)).values()];
}

/**
 * A selection's declaration for one of its kinds.
 *
 * @throws {UsageError} for admission handlers: they are installed with the operator, before kinds are selected.
 */
export function declareSelected(
  { declare }: KindSelection,
  { group, version, kind, plural, namespaced }: ApiResource,
  storage: HandledStateStorage,
): ControllerDeclaration {
  const resource = builtinKind<BuiltinObject>({ group, version, kind, plural, namespaced });
  const declaration = emptyDeclaration(resource), admission: AdmissionDeclaration[] = [];
  declare(new KindHandlers(declaration, storage, admission), resource);
  if (admission.length > 0) {
    throw new UsageError(`a selected kind, ${kind}, cannot have admission handlers`, "declare them with on(kind)");
  }
  return declaration as unknown as ControllerDeclaration;
}
