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
 * Keeps the certificates of an operator's webhooks: every replica takes them from a Secret, and the leader issues and
 * rotates them there and has the webhook configurations trust them. Where kinds are converted every replica does, for
 * the Secret and the CRDs: these writes name the version that they replace, and what they say all replicas of whichever
 * release agree on.
 *
 * Guarantees: what is served is trusted by the configurations at every moment of a rotation; whoever comes second with
 * a write looks again. Assumes that `checkMs` is well below `settleMs`, so that every replica shows a certificate
 * before the authority of the former one goes.
 */
export class CertificateKeeper {
  readonly #options: CertificateKeeperOptions;
  readonly #bounds: RotationBounds;
  #lastError: unknown;
  /** Why the Secret cannot be used as it is; of the last look. */
  #fault: string | undefined;
  #shown: ServingCertificates | undefined;

  constructor(options: CertificateKeeperOptions) {
    this.#options = options;
    this.#bounds = { ...ROTATION_DEFAULTS, ...options.bounds };
  }

  /** Why nothing is served yet; undefined where something is. */
  get problem(): string | undefined {
    if (this.#shown) return undefined;
    const where = `Secret ${formatKey(this.#options.secret)}`;
    if (this.#lastError) return `${where}: ${describeError(this.#lastError)}`;
    return this.#fault ? `${where} cannot be used: ${this.#fault}` : `no certificate in ${where} yet`;
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

  /**
   * Until the next look. Who begins to lead looks at once: what a former leader left half done is waited for by every
   * caller.
   */
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
    const { clock, names, leads, conversion } = this.#options;
    const kept = this.#usable(found), nowMs = clock.now();
    if (!conversion && !leads()) return kept && await this.#isTrusted(kept, signal) ? kept : undefined;
    // Who deletes or damages the Secret wants other certificates: until all replicas show them, those that they show
    // are still trusted.
    const shown = this.#shown && validUntilMs(this.#shown.serving.certificate) > nowMs ? this.#shown : undefined;
    const present = kept ?? shown, due = !kept && shown ? "announce" : rotationStep(present, nowMs, this.#bounds);
    const lacking = await this.#lacking(kept, shown, signal);
    if (due === "keep" && lacking.length === 0) return present;
    const after = due === "keep"
      ? present!
      : afterStep(due, present, { names, nowMs, lifetimeMs: this.#bounds.lifetimeMs });
    const next = { ...after, authorities: [...lacking, ...after.authorities], sinceMs: nowMs };
    return await this.#write(found, next, due === "keep" ? "trust" : due, signal) ? next : kept;
  }

  /** What the Secret holds, as far as callers can use it. What they cannot use is logged once. */
  #usable(found: DynamicObject | undefined): ServingCertificates | undefined {
    const { clock, names, logger, secret } = this.#options, check = { names, nowMs: clock.now() };
    const held = found && fromSecret(found);
    const fault = !held ? found && "it holds no certificates" : faultOf(held, check);
    const nextFault = !fault && held?.next && faultOf({ ...held, serving: held.next }, check);
    const reason = fault || (nextFault && `next.crt: ${nextFault}`) || undefined;
    if (reason && reason !== this.#fault) {
      logger.warn("the webhooks' certificates cannot be used as they are", { secret: formatKey(secret), reason });
    }
    this.#fault = reason;
    if (fault || !held) return undefined;
    return nextFault ? { ...held, next: undefined } : held;
  }

  /** Writes the Secret; false where another replica was quicker, whose step the next look shows. */
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
    logger.info("the webhooks' certificates went a step further", { step, secret: formatKey(secret) });
    return true;
  }

  /**
   * Authorities of certificates that replicas may still show although the Secret does not name them: it was replaced as
   * a whole. Who shows nothing itself asks what API servers trust.
   */
  async #lacking(
    kept: ServingCertificates | undefined,
    shown: ServingCertificates | undefined,
    signal?: AbortSignal,
  ): Promise<string[]> {
    if (!kept) return shown ? [] : [...new Set((await this.#told(signal)).flat())];
    if (!shown || signersOf(shown.serving, kept.authorities).length > 0) return [];
    return signersOf(shown.serving, shown.authorities);
  }

  /** Whether API servers trust what a replica would show instead of what it shows. */
  async #isTrusted({ serving }: ServingCertificates, signal?: AbortSignal): Promise<boolean> {
    if (serving.certificate === this.#shown?.serving.certificate) return true;
    const told = await this.#told(signal), isTrusted = told.every((each) => signersOf(serving, each).length > 0);
    if (!isTrusted) this.#fault ??= "API servers do not trust its certificate yet";
    return isTrusted;
  }

  /** The authorities that API servers trust, for each webhook that is installed. */
  async #told(signal?: AbortSignal): Promise<string[][]> {
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

  /**
   * Has the CRDs ask behind the Service, and trust who answers. One that asks nobody is of another release: it is left
   * alone.
   */
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
      await conversion.client.patch(CRDS, { name }, { type: "merge", signal, body: patch });
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
  const places = (configuration: DynamicObject) =>
    placesOf(configuration).map(({ name, url, caBundle, service }) => {
      const { namespace, name: serviceName, path } = (isObject(service) ? service : {}) as Record<string, unknown>;
      return formatJson([name, url, caBundle, namespace, serviceName, path]);
    });
  return formatJson(places(live)) === formatJson(places(wanted));
}

/** Name, place and authorities of each webhook of a configuration. */
function placesOf({ webhooks }: DynamicObject): Record<string, unknown>[] {
  return (Array.isArray(webhooks) ? webhooks : []).filter(isObject).map(({ name, clientConfig }) => ({
    ...(isObject(clientConfig) ? clientConfig : {}),
    name,
  }));
}
