import { UsageError } from "../base/errors.ts";
import type { ApiResource } from "../apimachinery/resource.ts";
import type { AdmissionDeclaration } from "../admission/declaration.ts";
import { type ControllerDeclaration, emptyDeclaration } from "../controller/declaration.ts";
import type { HandledStateStorage } from "../handling/storage.ts";
import { builtinKind, type BuiltinObject } from "./builtin_kinds.ts";
import { KindHandlers } from "./kind_handlers.ts";
import type { KindSelection } from "./operator.ts";

/**
 * What a selection says about one of its kinds.
 *
 * @throws {UsageError} where it declares admission handlers: those are installed with the operator, before any kind is selected.
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
