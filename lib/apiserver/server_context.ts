import type { Clock, Logger, Random } from "../base/mod.ts";
import type { AdmissionChain } from "./admission/admission_chain.ts";
import type { ObjectConverter } from "./object_converter.ts";
import type { BackgroundQueue } from "./background.ts";
import type { ResourceRegistry } from "./resource_registry.ts";
import type { ServerLimits } from "./server_limits.ts";
import type { Storage } from "./storage.ts";

export interface ServerContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly storage: Storage;
  readonly registry: ResourceRegistry;
  readonly background: BackgroundQueue;
  readonly limits: ServerLimits;
  readonly admission: AdmissionChain;
  readonly converter: ObjectConverter;
}
