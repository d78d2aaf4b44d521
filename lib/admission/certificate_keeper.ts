import type { Clock } from "../base/clock.ts";
import { sleep } from "../base/clock.ts";
import { validUntilMs } from "../base/certificates.ts";
import { describeError } from "../base/errors.ts";
import { formatJson, isObject } from "../base/json.ts";
import type { Logger } from "../base/log.ts";
import { type DynamicObject, formatKey, keyOf, type ObjectKey } from "../apimachinery/object.ts";
import { AlreadyExistsError, type Client, ConflictError } from "../client/mod.ts";
import { fromSecret, SECRETS, toSecret } from "./certificate_secret.ts";
import {
  afterStep,
  ROTATION_DEFAULTS,
  type RotationBounds,
  rotationStep,
  type ServingCertificates,
} from "./serving_certificates.ts";
import { conversionPatch, converterOf, CRDS } from "./crd_conversion.ts";
import { caBundle, type ConfigurationOptions, webhookConfigurations } from "./webhook_configuration.ts";

/** What a keeper of certificates is given. */
export interface CertificateKeeperOptions {
  /** Its writes pass on the leader only. */
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where the replicas share the certificates. */
  readonly secret: ObjectKey;
  /** Names by which API servers call the webhooks; the first is the certificate's. */
  readonly names: readonly string[];
  /** What the webhook configurations say, but for the authorities. */
  readonly configuration: Omit<ConfigurationOptions, "authorities">;
  /** Whether this replica leads: it alone applies configurations, and without conversion it alone issues. */
  readonly leads: () => boolean;
  /** Absent where nothing is converted. */
  readonly conversion?: {
    /** Names of the CRDs that are to trust the authorities. */
    readonly crds: readonly string[];
    /** Its writes pass on every replica: none can lead before the stores are full, which may take a conversion. */
    readonly client: Client;
  };
  /** Called with what the servers are to show, as often as that is looked at. */
  readonly onCertificates: (certificates: ServingCertificates) => Promise<void> | void;
  readonly bounds?: Partial<RotationBounds>;
  /** Between two looks; a minute where absent. It must be a small part of the rotation's pauses. */
  readonly checkMs?: number;
  /** Between two looks as long as there are no certificates. */
  readonly firstCheckMs?: number;
}

/** Looks at once, as long as somebody else is quicker. */
const ATTEMPTS_MAX = 5;

/**
 * Keeps the certificates of an operator's webhooks: every replica takes them from a Secret, and the leader issues and rotates them there
 * and has the webhook configurations trust them. Where kinds are converted every replica does, for the Secret and the CRDs: these writes name
 * the version that they replace, and what they say all replicas of whichever release agree on.
 *
 * Guarantees: what is served is trusted by the configurations at every moment of a rotation; whoever comes second with a write
 * looks again. Assumes that `checkMs` is well below `settleMs`, so that every replica shows a certificate before the authority of
 * the former one goes.
 */
export class CertificateKeeper {
  readonly #options: CertificateKeeperOptions;
  readonly #bounds: RotationBounds;
  #lastError: unknown;
  #shown: ServingCertificates | undefined;

  constructor(options: CertificateKeeperOptions) {
    this.#options = options;
    this.#bounds = { ...ROTATION_DEFAULTS, ...options.bounds };
  }

  /** Why nothing is served yet; undefined where something is. */
  get problem(): string | undefined {
    if (this.#shown) return undefined;
    const where = `Secret ${formatKey(this.#options.secret)}`;
    return this.#lastError ? `${where}: ${describeError(this.#lastError)}` : `no certificate in ${where} yet`;
  }

  /** Looks again and again until `signal` aborts. An error is logged, and looked at again. */
  async run(signal: AbortSignal): Promise<void> {
    const { logger, checkMs = 60_000, firstCheckMs = 2_000 } = this.#options;
    while (!signal.aborted) {
      try {
        await this.check(signal);
        this.#lastError = undefined;
      } catch (error) {
        if (signal.aborted) return;
        this.#lastError = error;
        logger.warn("the webhooks' certificates could not be looked at", { error: describeError(error) });
      }
      await this.#pause(checkMs, firstCheckMs, signal);
    }
  }

  /** Until the next look. Who begins to lead looks at once: what a former leader left half done is waited for by every caller. */
  async #pause(checkMs: number, firstCheckMs: number, signal: AbortSignal): Promise<void> {
    const { clock, leads } = this.#options, led = leads(), longMs = this.#shown ? checkMs : firstCheckMs;
    for (let restMs = longMs; restMs > 0 && !signal.aborted && (led || !leads()); restMs -= firstCheckMs) {
      await sleep(clock, Math.min(restMs, firstCheckMs), signal).catch(() => {});
    }
  }

  /** One look: reads, takes a step of the rotation where one is due, shows and publishes what is there now. */
  async check(signal?: AbortSignal): Promise<void> {
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#look(signal);
      } catch (error) {
        // What the Secret says may be another thing by now, so it is read anew.
        if (!(error instanceof ConflictError) || attempt >= ATTEMPTS_MAX) throw error;
      }
    }
  }

  async #look(signal?: AbortSignal): Promise<void> {
    const { client, secret, onCertificates, leads } = this.#options;
    const found = await client.find<DynamicObject>(SECRETS, secret, { signal });
    const certificates = await this.#advance(found, signal);
    if (!certificates) return;
    // Trusted first, shown then: whoever calls in between must not be turned away.
    await this.#trust(certificates, signal);
    if (leads()) await this.#publish(certificates, signal);
    await onCertificates(certificates);
    this.#shown = certificates;
  }

  async #advance(found: DynamicObject | undefined, signal?: AbortSignal): Promise<ServingCertificates | undefined> {
    const { clock, secret, names, leads, logger, configuration, conversion } = this.#options;
    const kept = found && fromSecret(found), nowMs = clock.now(), { client } = conversion ?? this.#options;
    if (!conversion && !leads()) return kept;
    // Whoever deletes the Secret wants other certificates: until all replicas show them, those that they show are still trusted.
    const shown = this.#shown && validUntilMs(this.#shown.serving.certificate) > nowMs ? this.#shown : undefined;
    const present = kept ?? shown, step = !kept && shown ? "announce" : rotationStep(present, nowMs, this.#bounds);
    if (step === "keep") return present;
    const next = afterStep(step, present, { names, nowMs, lifetimeMs: this.#bounds.lifetimeMs });
    const object = toSecret(secret, next, configuration.labels ?? {});
    try {
      if (!found) await client.create(SECRETS, object, { signal });
      else {
        const { resourceVersion, labels } = found.metadata!;
        const metadata = { ...object.metadata, resourceVersion, labels: { ...labels, ...object.metadata!.labels } };
        await client.replace(SECRETS, { ...object, type: found.type, metadata }, { signal });
      }
    } catch (error) {
      // Somebody else was quicker: the next look shows what they did.
      if (error instanceof AlreadyExistsError || error instanceof ConflictError) return kept;
      throw error;
    }
    logger.info("the webhooks' certificates went a step further", { step, secret: formatKey(secret) });
    return next;
  }

  /** Has the CRDs ask behind the Service, and trust who answers. One that asks nobody is of another release: it is left alone. */
  async #trust({ authorities }: ServingCertificates, signal?: AbortSignal): Promise<void> {
    const { configuration: { place }, conversion, logger } = this.#options;
    if (!conversion) return;
    for (const name of conversion.crds) {
      const live = await conversion.client.find<DynamicObject>(CRDS, { name }, { signal });
      const asked = live && converterOf(live);
      if (!asked) {
        logger.warn("a kind is not installed as this release converts it", { crd: name });
        continue;
      }
      if (asks(asked, place) && asked.caBundle === caBundle(authorities)) continue;
      const { resourceVersion } = live.metadata!;
      const patch = { metadata: { resourceVersion }, ...conversionPatch(place, authorities) };
      await conversion.client.patch(CRDS, { name }, patch, { type: "merge", signal });
      logger.info("a kind trusts the webhooks' certificates", { crd: name });
    }
  }

  async #publish({ authorities }: ServingCertificates, signal?: AbortSignal): Promise<void> {
    const { client, configuration, logger } = this.#options;
    for (const { resource, object } of webhookConfigurations({ ...configuration, authorities })) {
      const live = await client.find<DynamicObject>(resource, keyOf(object), { signal });
      if (!live) {
        logger.warn("a webhook configuration is not installed", { kind: resource.kind, name: object.metadata!.name });
      } else if (!says(live, object)) await client.apply(resource, object, { signal, force: true });
    }
  }
}

/** Whether a CRD asks at a place. */
function asks({ url, service }: NonNullable<ReturnType<typeof converterOf>>, place: ConfigurationOptions["place"]) {
  if (!("service" in place)) return url?.startsWith(place.url) ?? false;
  return service?.namespace === place.service.namespace && service.name === place.service.name && url === undefined;
}

/** Whether a configuration has the very webhooks that are wanted, at their places and with their authorities. */
function says(live: DynamicObject, wanted: DynamicObject): boolean {
  const places = ({ webhooks }: DynamicObject) =>
    (Array.isArray(webhooks) ? webhooks : []).filter(isObject).map(({ name, clientConfig }) => {
      const { url, caBundle, service } = (isObject(clientConfig) ? clientConfig : {}) as Record<string, unknown>;
      const { namespace, name: serviceName, path } = (isObject(service) ? service : {}) as Record<string, unknown>;
      return formatJson([name, url, caBundle, namespace, serviceName, path]);
    });
  return formatJson(places(live)) === formatJson(places(wanted));
}
