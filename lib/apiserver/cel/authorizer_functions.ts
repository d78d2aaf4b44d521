import { isDnsLabel, isDnsSubdomain } from "../../apimachinery/mod.ts";
import type { AccessAttributes, Decision } from "../authorizer.ts";
import { serviceAccountUser, type UserInfo } from "../user_info.ts";
import { type Declaration, declare, type Overload } from "./functions.ts";
import { CelError, noSuchOverload, OpaqueValue, type Value } from "./value.ts";

/** Decides for a user. */
export type Decide = (user: UserInfo, attributes: AccessAttributes) => Decision;

abstract class AuthorizationValue extends OpaqueValue {
  /** Kubernetes compares these with nothing. */
  equals(): boolean {
    throw noSuchOverload();
  }
}

/** The variable `authorizer`. */
export class AuthorizerValue extends AuthorizationValue {
  readonly typeName = "kubernetes.authorization.Authorizer";
  readonly user: UserInfo;
  readonly decide: Decide;

  constructor(user: UserInfo, decide: Decide) {
    super();
    this.user = user;
    this.decide = decide;
  }
}

class PathCheck extends AuthorizationValue {
  readonly typeName = "kubernetes.authorization.PathCheck";
  readonly authorizer: AuthorizerValue;
  readonly path: string;

  constructor(authorizer: AuthorizerValue, path: string) {
    super();
    this.authorizer = authorizer;
    this.path = path;
  }
}

class GroupCheck extends AuthorizationValue {
  readonly typeName = "kubernetes.authorization.GroupCheck";
  readonly authorizer: AuthorizerValue;
  readonly group: string;

  constructor(authorizer: AuthorizerValue, group: string) {
    super();
    this.authorizer = authorizer;
    this.group = group;
  }
}

type ResourceAttributes = Omit<Extract<AccessAttributes, { kind: "resource" }>, "kind" | "verb">;

/** The variable `authorizer.requestResource`, too. */
export class ResourceCheck extends AuthorizationValue {
  readonly typeName = "kubernetes.authorization.ResourceCheck";
  readonly authorizer: AuthorizerValue;
  readonly attributes: ResourceAttributes;

  constructor(authorizer: AuthorizerValue, attributes: ResourceAttributes) {
    super();
    this.authorizer = authorizer;
    this.attributes = attributes;
  }

  with(changed: Partial<ResourceAttributes>): ResourceCheck {
    return new ResourceCheck(this.authorizer, { ...this.attributes, ...changed });
  }
}

class DecisionValue extends AuthorizationValue {
  readonly typeName = "kubernetes.authorization.Decision";
  readonly decision: Decision;

  constructor(decision: Decision) {
    super();
    this.decision = decision;
  }
}

function notEmpty(text: string, what: string): string {
  if (text.trim() === "") throw new CelError(`${what} must not be empty`);
  return text;
}

function serviceAccount(authorizer: AuthorizerValue, namespace: string, name: string): AuthorizerValue {
  if (!isDnsSubdomain(name)) throw new CelError("Invalid service account name");
  if (!isDnsLabel(namespace)) throw new CelError("Invalid service account namespace");
  return new AuthorizerValue(serviceAccountUser(namespace, name), authorizer.decide);
}

function checkPath({ authorizer, path }: PathCheck, verb: string): DecisionValue {
  return new DecisionValue(authorizer.decide(authorizer.user, { kind: "path", verb, path }));
}

function checkResource({ authorizer, attributes }: ResourceCheck, verb: string): DecisionValue {
  return new DecisionValue(authorizer.decide(authorizer.user, { kind: "resource", verb, ...attributes }));
}

const with1 = (field: "subresource" | "namespace" | "name") => (check: ResourceCheck, text: string): Value =>
  check.with({ [field]: text });

/** The server's authorizer does not narrow decisions by selectors, as RBAC does not. */
const same = (check: ResourceCheck): Value => check;

const DECLARATIONS: Declaration[] = [
  [
    "authorizer_path",
    "Authorizer#path(string): PathCheck",
    (authorizer: AuthorizerValue, path: string) => new PathCheck(authorizer, notEmpty(path, "path")),
  ],
  [
    "authorizer_group",
    "Authorizer#group(string): GroupCheck",
    (authorizer: AuthorizerValue, group: string) => new GroupCheck(authorizer, group),
  ],
  ["authorizer_serviceaccount", "Authorizer#serviceAccount(string, string): Authorizer", serviceAccount],
  [
    "groupcheck_resource",
    "GroupCheck#resource(string): ResourceCheck",
    (check: GroupCheck, resource: string) =>
      new ResourceCheck(check.authorizer, { group: check.group, plural: notEmpty(resource, "resource") }),
  ],
  ["resourcecheck_subresource", "ResourceCheck#subresource(string): ResourceCheck", with1("subresource")],
  ["resourcecheck_namespace", "ResourceCheck#namespace(string): ResourceCheck", with1("namespace")],
  ["resourcecheck_name", "ResourceCheck#name(string): ResourceCheck", with1("name")],
  ["authorizer_fieldselector", "ResourceCheck#fieldSelector(string): ResourceCheck", same],
  ["authorizer_labelselector", "ResourceCheck#labelSelector(string): ResourceCheck", same],
  ["pathcheck_check", "PathCheck#check(string): Decision", checkPath],
  ["resourcecheck_check", "ResourceCheck#check(string): Decision", checkResource],
  ["decision_errored", "Decision#errored(): bool", () => false],
  ["decision_error", "Decision#error(): string", () => ""],
  ["decision_allowed", "Decision#allowed(): bool", ({ decision }: DecisionValue) => decision.allowed],
  [
    "decision_reason",
    "Decision#reason(): string",
    ({ decision }: DecisionValue) => decision.allowed ? decision.reason : "",
  ],
];

export function declareAuthorizer(table: Map<string, Overload[]>): void {
  declare(table, DECLARATIONS);
}
