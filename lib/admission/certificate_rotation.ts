import { Buffer } from "node:buffer";
import { type Clock, describeError, formatJson, isObject, type Logger, sleep } from "../base/mod.ts";
import { validUntilMs } from "../base/certificates.ts";
import { type DynamicObject, formatKey, keyOf, type ObjectKey } from "../apimachinery/mod.ts";
import { AlreadyExistsError, type Client, ConflictError } from "../client/mod.ts";
import { certificatesIn, fromSecret, SECRETS, toSecret } from "./certificate_secret.ts";
import {
  afterStep,
  faultOf,
  ROTATION_DEFAULTS,
  type RotationBounds,
  rotationStep,
  type ServingCertificates,
  signersOf,
} from "./serving_certificates.ts";
import { conversionPatch, converterOf, CRDS } from "./crd_conversion.ts";
import { caBundle, type ConfigurationOptions, webhookConfigurations } from "./webhook_configuration.ts";

interface CertificateRotationOptions {
  /** Only the leader can write with it. */
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  /** With the certificates of all replicas. */
  readonly secret: ObjectKey;
  /** Server names; the first is the common name. */
  readonly names: readonly string[];
  readonly configuration: Omit<ConfigurationOptions, "authorities">;
  /** Only the leader applies configurations and, without conversion, issues certificates. */
  readonly leads: () => boolean;
  /** Absent without conversion webhooks. */
  readonly conversion?: {
    /** CRDs that must trust the authorities. */
    readonly crds: readonly string[];
    /** Every replica writes with it: stores may need a conversion before any replica leads. */
    readonly client: Client;
  };
  /** Called after every check. */
  readonly onCertificates: (certificates: ServingCertificates) => Promise<void> | void;
  readonly bounds?: Partial<RotationBounds>;
  /** A minute where absent. Must be much shorter than the pauses of the rotation. */
  readonly checkMs?: number;
  /** Until there are certificates. */
  readonly firstCheckMs?: number;
}

/** Immediate checks after conflicts with other replicas. */
const ATTEMPTS_MAX = 5;

/**
 * Keeps the certificates of an operator's webhooks in a Secret that every replica reads. The leader issues and rotates
 * them, and writes their authorities into the webhook configurations. With conversion every replica writes the Secret
 * and the CRDs: with the resourceVersion that it read, and content on which replicas of all releases agree.
 *
 * Guarantees: the configurations trust every served certificate throughout a rotation; a conflict leads to another
 * check. Assumes that `checkMs` is well below `settleMs`: every replica serves a certificate before the former
 * authority is removed.
 */
export class CertificateRotation {
  readonly #options: CertificateRotationOptions;
  readonly #bounds: RotationBounds;
  #lastError: unknown;
  /** As of the last check. */
  #fault: string | undefined;
  #served: ServingCertificates | undefined;

  constructor(options: CertificateRotationOptions) {
    this.#options = options;
    this.#bounds = { ...ROTATION_DEFAULTS, ...options.bounds };
  }

  /** Why no certificate is served yet. */
  get problem(): string | undefined {
    if (this.#served) return undefined;
    const where = `Secret ${formatKey(this.#options.secret)}`;
    if (this.#lastError) return `${where}: ${describeError(this.#lastError)}`;
    return this.#fault ? `${where} cannot be used: ${this.#fault}` : `no certificate in ${where} yet`;
  }

  /** Errors are logged, and the check is repeated. */
  async run(signal: AbortSignal): Promise<void> {
    const { logger, checkMs = 60_000, firstCheckMs = 2_000 } = this.#options;
    while (!signal.aborted) {
      try {
        await this.check(signal);
        this.#lastError = undefined;
      } catch (error) {
        if (signal.aborted) return;
        this.#lastError = error;
        logger.warn("the webhooks' certificates could not be checked", { error: describeError(error) });
      }
      await this.#pause(checkMs, firstCheckMs, signal);
    }
  }

  /** A new leader checks at once: callers wait for the former one's unfinished steps. */
  async #pause(checkMs: number, firstCheckMs: number, signal: AbortSignal): Promise<void> {
    const { clock, leads } = this.#options, led = leads(), longMs = this.#served ? checkMs : firstCheckMs;
    for (let restMs = longMs; restMs > 0 && !signal.aborted && (led || !leads()); restMs -= firstCheckMs) {
      await sleep(clock, Math.min(restMs, firstCheckMs), signal).catch(() => {});
    }
  }

  /** Reads the Secret, takes a due step, publishes and serves the result. */
  async check(signal?: AbortSignal): Promise<void> {
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#checkOnce(signal);
      } catch (error) {
        // The Secret may have changed.
        if (!(error instanceof ConflictError) || attempt >= ATTEMPTS_MAX) throw error;
      }
    }
  }

  async #checkOnce(signal?: AbortSignal): Promise<void> {
    const { client, secret, onCertificates, leads } = this.#options;
    const found = await client.find<DynamicObject>(SECRETS, secret, { signal });
    const certificates = await this.#advance(found, signal);
    if (!certificates) return;
    // Trusted before served, so that no call in between fails.
    await this.#patchCrdCaBundles(certificates, signal);
    if (leads()) await this.#applyConfigurations(certificates, signal);
    await onCertificates(certificates);
    this.#served = certificates;
  }

  async #advance(found: DynamicObject | undefined, signal?: AbortSignal): Promise<ServingCertificates | undefined> {
    const { clock, names, leads, conversion } = this.#options;
    const stored = this.#parseAndValidate(found), nowMs = clock.now();
    if (!conversion && !leads()) return stored && await this.#isTrusted(stored, signal) ? stored : undefined;
    // Deleting or damaging the Secret requests new certificates. The former ones stay trusted until all replicas serve
    // the new.
    const served = this.#served && validUntilMs(this.#served.serving.certificate) > nowMs ? this.#served : undefined;
    const present = stored ?? served, due = !stored && served ? "announce" : rotationStep(present, nowMs, this.#bounds);
    const lacking = await this.#missingAuthorities(stored, served, signal);
    if (due === "keep" && lacking.length === 0) return present;
    const after = due === "keep"
      ? present!
      : afterStep(due, present, { names, nowMs, lifetimeMs: this.#bounds.lifetimeMs });
    const next = { ...after, authorities: [...lacking, ...after.authorities], sinceMs: nowMs };
    return await this.#write(found, next, due === "keep" ? "trust" : due, signal) ? next : stored;
  }

  /** Logs what is unusable in the Secret once. */
  #parseAndValidate(found: DynamicObject | undefined): ServingCertificates | undefined {
    const { clock, names, logger, secret } = this.#options, check = { names, nowMs: clock.now() };
    const held = found && fromSecret(found);
    const fault = !held ? found && "it holds no certificates" : faultOf(held, check);
    const nextFault = !fault && held?.next && faultOf({ ...held, serving: held.next }, check);
    const reason = fault || (nextFault && `next.crt: ${nextFault}`) || undefined;
    if (reason && reason !== this.#fault) {
      logger.warn("the webhooks' certificates are unusable", { secret: formatKey(secret), reason });
    }
    this.#fault = reason;
    if (fault || !held) return undefined;
    return nextFault ? { ...held, next: undefined } : held;
  }

  /** False after a conflict: the next check reads the other replica's step. */
  async #write(
    found: DynamicObject | undefined,
    next: ServingCertificates,
    step: string,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const { secret, logger, configuration, conversion } = this.#options, { client } = conversion ?? this.#options;
    const object = toSecret(secret, next, configuration.labels ?? {});
    try {
      if (!found) await client.create(SECRETS, object, { signal });
      else {
        const { resourceVersion, labels } = found.metadata!;
        const metadata = { ...object.metadata, resourceVersion, labels: { ...labels, ...object.metadata!.labels } };
        await client.replace(SECRETS, { ...object, type: found.type, metadata }, { signal });
      }
    } catch (error) {
      if (error instanceof AlreadyExistsError || error instanceof ConflictError) return false;
      throw error;
    }
    logger.info("the webhooks' certificates were written", { step, secret: formatKey(secret) });
    return true;
  }

  /**
   * Authorities that replicas may still serve although a replaced Secret lacks them. A replica that serves none reads
   * what API servers trust.
   */
  async #missingAuthorities(
    stored: ServingCertificates | undefined,
    served: ServingCertificates | undefined,
    signal?: AbortSignal,
  ): Promise<string[]> {
    if (!stored) return served ? [] : [...new Set((await this.#readCaBundles(signal)).flat())];
    if (!served || signersOf(served.serving, stored.authorities).length > 0) return [];
    return signersOf(served.serving, served.authorities);
  }

  /** Whether API servers trust a certificate that this replica does not serve yet. */
  async #isTrusted({ serving }: ServingCertificates, signal?: AbortSignal): Promise<boolean> {
    if (serving.certificate === this.#served?.serving.certificate) return true;
    const trusted = await this.#readCaBundles(signal),
      isTrusted = trusted.every((each) => signersOf(serving, each).length > 0);
    if (!isTrusted) this.#fault ??= "API servers do not trust its certificate yet";
    return isTrusted;
  }

  /** The authorities that API servers trust, per installed webhook. */
  async #readCaBundles(signal?: AbortSignal): Promise<string[][]> {
    const { client, configuration, conversion } = this.#options, bundles: unknown[] = [];
    for (const { resource, object } of webhookConfigurations(configuration)) {
      const live = await client.find<DynamicObject>(resource, keyOf(object), { signal });
      bundles.push(...(live ? placesOf(live).map(({ caBundle }) => caBundle) : []));
    }
    for (const name of conversion?.crds ?? []) {
      const live = await client.find<DynamicObject>(CRDS, { name }, { signal });
      bundles.push(live && converterOf(live)?.caBundle);
    }
    return bundles.map((bundle) => certificatesIn(Buffer.from(String(bundle ?? ""), "base64").toString()));
  }

  /** A CRD without conversion belongs to another release and stays. */
  async #patchCrdCaBundles({ authorities }: ServingCertificates, signal?: AbortSignal): Promise<void> {
    const { configuration: { place }, conversion, logger } = this.#options;
    if (!conversion) return;
    for (const name of conversion.crds) {
      const live = await conversion.client.find<DynamicObject>(CRDS, { name }, { signal });
      const converter = live && converterOf(live);
      if (!converter) {
        logger.warn("a CRD is not installed with a conversion webhook", { crd: name });
        continue;
      }
      if (convertsAt(converter, place) && converter.caBundle === caBundle(authorities)) continue;
      const { resourceVersion } = live.metadata!;
      const patch = { metadata: { resourceVersion }, ...conversionPatch(place, authorities) };
      await conversion.client.patch(CRDS, { name }, { type: "merge", signal, body: patch });
      logger.info("a CRD trusts the webhooks' certificates", { crd: name });
    }
  }

  async #applyConfigurations({ authorities }: ServingCertificates, signal?: AbortSignal): Promise<void> {
    const { client, configuration, logger } = this.#options;
    for (const { resource, object } of webhookConfigurations({ ...configuration, authorities })) {
      const live = await client.find<DynamicObject>(resource, keyOf(object), { signal });
      if (!live) {
        logger.warn("a webhook configuration is not installed", { kind: resource.kind, name: object.metadata!.name });
      } else if (!hasSameWebhooks(live, object)) await client.apply(resource, object, { signal, force: true });
    }
  }
}

function convertsAt(
  { url, service }: NonNullable<ReturnType<typeof converterOf>>,
  place: ConfigurationOptions["place"],
) {
  if (!("service" in place)) return url?.startsWith(place.url) ?? false;
  return service?.namespace === place.service.namespace && service.name === place.service.name && url === undefined;
}

/** Compares webhooks, places and authorities. */
function hasSameWebhooks(live: DynamicObject, wanted: DynamicObject): boolean {
  const places = (configuration: DynamicObject) =>
    placesOf(configuration).map(({ name, url, caBundle, service }) => {
      const { namespace, name: serviceName, path } = (isObject(service) ? service : {}) as Record<string, unknown>;
      return formatJson([name, url, caBundle, namespace, serviceName, path]);
    });
  return formatJson(places(live)) === formatJson(places(wanted));
}

function placesOf({ webhooks }: DynamicObject): Record<string, unknown>[] {
  return (Array.isArray(webhooks) ? webhooks : []).filter(isObject).map(({ name, clientConfig }) => ({
    ...(isObject(clientConfig) ? clientConfig : {}),
    name,
  }));
}
