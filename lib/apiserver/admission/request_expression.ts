import {
  BOOL,
  CompileError,
  compileExpression,
  DYN,
  Environment,
  type Expression,
  formatType,
  INT,
  listOf,
  mapOf,
  sameType,
  STRING,
  structType,
  TIMESTAMP,
  type Type,
} from "../cel/mod.ts";

/** What expressions on a request may name beside `object`, `oldObject`, `request` and `namespaceObject`. */
export interface RequestScope {
  readonly params: boolean;
  readonly authorizer: boolean;
  /** They may make objects and JSON patches. */
  readonly patches?: boolean;
  /** The types of `variables`; absent where there are none. */
  readonly variables?: ReadonlyMap<string, Type>;
}

const STRINGS = listOf(STRING);

function struct(name: string, fields: Record<string, Type>): Type {
  return structType(`kubernetes.${name}`, new Map(Object.entries(fields)));
}

const KIND = struct("GroupVersionKind", { group: STRING, version: STRING, kind: STRING });
const RESOURCE = struct("GroupVersionResource", { group: STRING, version: STRING, resource: STRING });

const REQUEST = struct("AdmissionRequest", {
  kind: KIND,
  resource: RESOURCE,
  subResource: STRING,
  requestKind: KIND,
  requestResource: RESOURCE,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: struct("UserInfo", { username: STRING, uid: STRING, groups: STRINGS, extra: mapOf(STRING, STRINGS) }),
  dryRun: BOOL,
  options: DYN,
});

const NAMESPACE = struct("Namespace", {
  metadata: struct("NamespaceMetadata", {
    name: STRING,
    generateName: STRING,
    namespace: STRING,
    labels: mapOf(STRING, STRING),
    annotations: mapOf(STRING, STRING),
    UID: STRING,
    creationTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    deletionTimestamp: TIMESTAMP,
    generation: INT,
    resourceVersion: STRING,
    finalizers: STRINGS,
  }),
  spec: struct("NamespaceSpec", { finalizers: STRINGS }),
  status: struct("NamespaceStatus", {
    conditions: listOf(
      struct("NamespaceCondition", {
        status: STRING,
        type: STRING,
        lastTransitionTime: TIMESTAMP,
        message: STRING,
        reason: STRING,
      }),
    ),
    phase: STRING,
  }),
});

const compiled = new Map<string, Expression>();
const COMPILED_MAX = 1_000;

/**
 * Compiles an expression on an admission request that has one of the types; without types, of any.
 *
 * @throws {CompileError} in kube-apiserver's words.
 */
export function compileRequestExpression(source: string, scope: RequestScope, types: readonly Type[]): Expression {
  const declared = [...scope.variables ?? []].map(([name, type]) => `${name}:${formatType(type)}`).join();
  const allowed = [scope.params, scope.authorizer, scope.patches].join(), wanted = types.map(formatType).join();
  const key = `${allowed} ${wanted} ${declared} ${source}`;
  const known = compiled.get(key);
  if (known) return known;
  const expression = checked(source, scope, types);
  if (compiled.size >= COMPILED_MAX) compiled.clear();
  compiled.set(key, expression);
  return expression;
}

function checked(source: string, scope: RequestScope, types: readonly Type[]): Expression {
  try {
    return compileExpression(source, environmentOf(scope), (found) => unfit(found, types));
  } catch (error) {
    if (!(error instanceof CompileError) || error.stage === "type") throw error;
    const what = error.stage === "compilation" ? "compilation failed" : "program instantiation failed";
    throw new CompileError(error.stage, `${what}: ${error.message}`);
  }
}

function unfit(found: Type, types: readonly Type[]): string | undefined {
  if (types.length === 0 || types.some((type) => sameType(type, found))) return undefined;
  const names = types.map(runtimeName);
  const wanted = names.length === 1 ? names[0] : `one of [${names.join(" ")}]`;
  return `must evaluate to ${wanted} but got ${runtimeName(found)}`;
}

function runtimeName(type: Type): string {
  return type.kind === "null" ? "null_type" : formatType(type);
}

function environmentOf({ params, authorizer, variables, patches }: RequestScope): Environment {
  return new Environment([
    ["object", DYN],
    ["oldObject", DYN],
    ["request", REQUEST],
    ["namespaceObject", NAMESPACE],
    ...params ? [["params", DYN] as const] : [],
    ...authorizer
      ? [
        ["authorizer", structType("kubernetes.authorization.Authorizer")] as const,
        ["authorizer.requestResource", structType("kubernetes.authorization.ResourceCheck")] as const,
      ]
      : [],
    ...variables ? [["variables", structType("kubernetes.variables", variables)] as const] : [],
  ], patches);
}
