import type { AdmissionHost } from "../admission/mod.ts";
import type { Clock, Logger, Mask, Random, Transport } from "../base/mod.ts";
import type { ApiResource, NamespaceScope, ObjectKey } from "../apimachinery/mod.ts";
import type { ReflectorBounds } from "../cache/mod.ts";
import type { ClientOptions } from "../client/mod.ts";
import type { ControllerObserver, ControllerOptions } from "../controller/mod.ts";
import type { RunningOperator } from "./running_operator.ts";

/** What an operator is started with. Everything but the transport has a default. */
export interface StartOptions {
  /** How requests reach the cluster; the caller closes it. */
  readonly transport: Transport;
  /** The machine's clock where absent. */
  readonly clock?: Clock;
  /** Jitter and random names; the machine's randomness where absent. */
  readonly random?: Random;
  /** Drops everything where absent. */
  readonly logger?: Logger;
  /** Masks the values of Secrets in log lines, Events, status and plans; one of the operator's own where absent. */
  readonly mask?: Mask;
  /** Name of this process in Events; the operator's name where absent. */
  readonly instance?: string;
  /** Bounds of every controller: workers, timeouts, backoff. */
  readonly controller?: Partial<ControllerOptions>;
  /** Bounds of every watch: pages, silence, pauses. */
  readonly watching?: ReflectorBounds;
  /** Bounds of every request; the client's own where absent. */
  readonly requests?: Pick<ClientOptions, "requestTimeoutMs" | "retriesMax">;
  /** Called after each attempt of a request. */
  readonly onRequest?: ClientOptions["onRequest"];
  /** Called after each admission review. */
  readonly onReview?: AdmissionHost["onReview"];
  /** OpenTelemetry's `Tracer`: makes a span of every API request. None where absent. */
  readonly tracer?: ClientOptions["tracer"];
  /** Metrics and spans, per controller name. */
  readonly observe?: (controller: string) => ControllerObserver;
  /**
   * Makes it one of several replicas: its stores fill at once, and it works only once it leads. Its `transport` should
   * let no write through before that (`fencedTransport`).
   */
  readonly leadership?: Leadership;
  /**
   * Whether it handles a kind that it declares: it does where absent. Where it is given, kinds that it selects are left
   * alone.
   */
  readonly handles?: (kind: ApiResource) => boolean;
  /** In which namespaces it works; everywhere where absent. */
  readonly scope?: NamespaceScope;
  /**
   * Called before everything else: conversion webhooks must answer before the stores fill, since lists may need
   * conversions. Admission reviews before the stores are full wait for that.
   */
  readonly serve?: (running: RunningOperator) => Promise<void> | void;
  /** Aborts a start that takes too long. */
  readonly signal?: AbortSignal;
}

/** What is planned, and with what. */
export interface PlanOptions
  extends Pick<StartOptions, "transport" | "clock" | "random" | "logger" | "mask" | "controller" | "scope"> {
  /** The objects to plan for; every one where absent. */
  readonly only?: (kind: ApiResource, key: ObjectKey) => boolean;
  /** Ends the plan. */
  readonly signal: AbortSignal;
}

/** How an operator comes to lead. A `LeaderElector` is one. */
export interface Leadership {
  /** Resolves when this process leads; rejects with the signal's reason where that aborts first. */
  acquire(signal: AbortSignal): Promise<void>;
}
