import type { AdmissionHost } from "../admission/mod.ts";
import type { Clock, Logger, Mask, Random, Transport } from "../base/mod.ts";
import type { ApiResource, NamespaceScope, ObjectKey } from "../apimachinery/mod.ts";
import type { ReflectorBounds } from "../cache/mod.ts";
import type { ClientOptions } from "../client/mod.ts";
import type { ControllerObserver, ControllerOptions } from "../controller/mod.ts";
import type { RunningOperator } from "./running_operator.ts";

/** Options of a start. Everything but the transport has a default. */
export interface StartOptions {
  /** The connection to the cluster; the caller closes it. */
  readonly transport: Transport;
  /** The machine's by default. */
  readonly clock?: Clock;
  /** For jitter and random names; the machine's by default. */
  readonly random?: Random;
  /** Discards everything by default. */
  readonly logger?: Logger;
  /** Masks values of Secrets in logs, Events, status and plans; the operator's own by default. */
  readonly mask?: Mask;
  /** This process's name in Events; the operator's by default. */
  readonly instance?: string;
  /** Bounds of every controller: workers, timeouts, backoff. */
  readonly controller?: Partial<ControllerOptions>;
  /** Bounds of every watch: pages, silence, pauses. */
  readonly watching?: ReflectorBounds;
  /** Bounds of every request; the client's own by default. */
  readonly requests?: Pick<ClientOptions, "requestTimeoutMs" | "retriesMax">;
  /** After each attempt of a request. */
  readonly onRequest?: ClientOptions["onRequest"];
  /** After each admission review. */
  readonly onReview?: AdmissionHost["onReview"];
  /** OpenTelemetry's `Tracer`: a span per API request. None by default. */
  readonly tracer?: ClientOptions["tracer"];
  /** Metrics and spans, per controller name. */
  readonly observe?: (controller: string) => ControllerObserver;
  /**
   * Makes it one of several replicas: stores fill at once, but it works only as leader. Until then its `transport`
   * should refuse writes (`fencedTransport`).
   */
  readonly leadership?: Leadership;
  /** Whether it handles a declared kind; true by default. If given, selected kinds are skipped. */
  readonly handles?: (kind: ApiResource) => boolean;
  /** Its namespaces; all by default. */
  readonly scope?: NamespaceScope;
  /**
   * Called first: conversion webhooks must answer before the stores fill, since lists may need them. Admission reviews
   * wait until the stores are full.
   */
  readonly serve?: (running: RunningOperator) => Promise<void> | void;
  /** Aborts a start that takes too long. */
  readonly signal?: AbortSignal;
}

export interface PlanOptions
  extends Pick<StartOptions, "transport" | "clock" | "random" | "logger" | "mask" | "controller" | "scope"> {
  /** All objects by default. */
  readonly only?: (kind: ApiResource, key: ObjectKey) => boolean;
  readonly signal: AbortSignal;
}

/** How an operator comes to lead; `LeaderElector` implements it. */
export interface Leadership {
  /** Resolves when this process leads; rejects with the signal's reason if that aborts first. */
  acquire(signal: AbortSignal): Promise<void>;
}
