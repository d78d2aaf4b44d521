import type { Random } from "../../base/mod.ts";
import type { Authorizer } from "../authorizer.ts";
import type { ObjectConverter } from "../object_converter.ts";
import type { ResourceRegistry } from "../resource_registry.ts";
import type { Storage } from "../storage.ts";
import type { UserInfo } from "../user_info.ts";
import type { WrittenObject } from "./webhook_match.ts";

/** A write under admission. */
export interface AdmissionAttributes extends WrittenObject {
  readonly name: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  readonly fieldManager?: string;
  readonly warnings: string[];
}

/** What admission needs of its server. */
export interface AdmissionServer {
  readonly authorizer: Authorizer;
  readonly registry: ResourceRegistry;
  readonly storage: Storage;
  readonly random: Random;
  readonly converter: ObjectConverter;
}
