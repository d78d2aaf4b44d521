import nodeChildProcess from "node:child_process";
import nodeCrypto from "node:crypto";
import nodeDns from "node:dns";
import nodeFs from "node:fs";
import nodeFsPromises from "node:fs/promises";
import nodeHttp from "node:http";
import nodeHttps from "node:https";
import nodeNet from "node:net";
import process from "node:process";
import nodeTimers from "node:timers";
import { type Clock, type Random, randomUuid } from "../base/mod.ts";
import { SimulatedProcess } from "./simulated_process.ts";

/**
 * The calls by which code reaches for time, randomness and the machine without an argument. While a simulation runs
 * they are its own for the code inside of it, and unchanged for everything else in this process.
 *
 * Timers that a module imported by name from `node:timers` are controlled by the prototype of what they return.
 *
 * What else is imported by name from a module of Node stays real: `escapes` finds that.
 */
const replaced: { readonly holder: object; readonly name: string | symbol; readonly descriptor: PropertyDescriptor }[] =
  [];
let users = 0;

/** Controls ambient calls until the result is disposed of. */
export function controlAmbientCalls(): Disposable {
  if (users++ === 0) replaceAll();
  return {
    [Symbol.dispose]: () => {
      if (--users > 0) return;
      for (const { holder, name, descriptor } of replaced.splice(0)) Object.defineProperty(holder, name, descriptor);
    },
  };
}

type AnyFunction = (...parameters: never[]) => unknown;

/** Replaces `object[name]` for simulated code by what `simulated` makes of the original. */
function replace<F extends AnyFunction>(
  object: object,
  name: string | symbol,
  simulated: (original: F, process: SimulatedProcess) => F,
): void {
  const holder = ownerOf(object, name), descriptor = holder && Object.getOwnPropertyDescriptor(holder, name);
  if (!holder || !descriptor?.configurable) return;
  const original = Reflect.get(holder, name) as F;
  if (typeof original !== "function") return;
  const replacement = function (this: unknown, ...parameters: Parameters<F>) {
    const process = SimulatedProcess.current;
    return Reflect.apply(process ? simulated(original, process) : original, this, parameters);
  };
  redefine(holder, name, descriptor, replacement);
}

/** The object or prototype that has the property itself. */
function ownerOf(object: object | null, name: string | symbol): object | null {
  return object === null || Object.hasOwn(object, name) ? object : ownerOf(Object.getPrototypeOf(object), name);
}

function redefine(holder: object, name: string | symbol, descriptor: PropertyDescriptor, value: unknown): void {
  replaced.push({ holder, name, descriptor });
  Object.defineProperty(holder, name, { value, configurable: true, writable: true, enumerable: descriptor.enumerable });
}

function replaceAll(): void {
  replaceTimers();
  replaceNodeTimers();
  replaceDates();
  replaceRandomness();
  replaceMachine();
}

function replaceTimers(): void {
  for (const name of ["setTimeout", "setInterval"] as const) {
    replace<typeof setTimeout>(globalThis, name, (_original, { simulation: { clock } }) => {
      const repeats = name === "setInterval";
      return ((callback: (...parameters: unknown[]) => void, delayMs = 0, ...parameters: unknown[]) =>
        new SimulatedTimer(clock, () => callback(...parameters), Math.max(1, delayMs), repeats)) as never;
    });
  }
  replace<(callback: (...parameters: unknown[]) => void, ...parameters: unknown[]) => unknown>(
    globalThis,
    "setImmediate",
    (_original, { simulation: { clock } }) => (callback, ...parameters) =>
      new SimulatedTimer(clock, () => callback(...parameters), 0, false),
  );
  for (const name of ["clearTimeout", "clearInterval", "clearImmediate"] as const) {
    replace<(timer: unknown) => void>(globalThis, name, (original) => (timer) => {
      if (timer instanceof SimulatedTimer) timer.clear();
      else original(timer);
    });
  }
  replace<typeof AbortSignal.timeout>(AbortSignal, "timeout", (_original, { simulation: { clock } }) => (delayMs) => {
    const controller = new AbortController();
    const expired = () => controller.abort(new DOMException("Signal timed out.", "TimeoutError"));
    clock.schedule(expired, delayMs);
    return controller.signal;
  });
}

/** A timer of Node: the longest that it knows is longer than any run. */
const NODE_TIMER_MS_MAX = 2 ** 31 - 1;

interface NodeTimer {
  readonly _destroyed: boolean;
  _idleTimeout: number;
  readonly _onTimeout: (...parameters: unknown[]) => void;
  readonly _timerArgs: unknown[] | undefined;
  readonly _repeat: boolean;
  unref(): this;
  close(): this;
}

/**
 * `setTimeout` and `setInterval` of `node:timers`, also by name. The machine's timer is only an entry by which
 * `clearTimeout` finds it.
 */
function replaceNodeTimers(): void {
  const sample = nodeTimers.setTimeout(() => {}, 0), prototype = Object.getPrototypeOf(sample);
  nodeTimers.clearTimeout(sample);
  const create = Object.getOwnPropertySymbols(prototype).find(({ description }) => description === "createTimer");
  if (!create) return;
  replace<(this: NodeTimer) => unknown>(prototype, create, (original, { simulation }) =>
    function () {
      const delayMs = this._idleTimeout;
      this._idleTimeout = NODE_TIMER_MS_MAX;
      const id = original.call(this);
      this._idleTimeout = delayMs;
      simulation.onEnd(() => this.close());
      const fire = () => {
        if (this._destroyed) return;
        const { _onTimeout: callback, _timerArgs: parameters = [], _repeat: repeats } = this;
        if (repeats) simulation.clock.schedule(fire, delayMs);
        else this.close();
        callback.apply(this, parameters);
      };
      simulation.clock.schedule(fire, delayMs);
      return id;
    });
}

/** What `setTimeout` returns in a simulation: both a number, as in browsers, and an object, as in Node. */
class SimulatedTimer {
  #handle: { readonly id: number } | undefined;

  constructor(readonly clock: Clock, callback: () => void, delayMs: number, repeats: boolean) {
    const fire = () => {
      this.#handle = repeats ? clock.schedule(fire, delayMs) : undefined;
      callback();
    };
    this.#handle = clock.schedule(fire, delayMs);
  }

  clear(): void {
    if (this.#handle) this.clock.clear(this.#handle);
    this.#handle = undefined;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return this.#handle !== undefined;
  }

  [Symbol.toPrimitive](): number {
    return this.#handle?.id ?? 0;
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}

function replaceDates(): void {
  const Original = Date;
  const Simulated: DateConstructor = new Proxy(Original, {
    construct(target, parameters, newTarget): Date {
      const process = SimulatedProcess.current;
      const given = process && parameters.length === 0 ? [process.simulation.clock.now()] : parameters;
      return Reflect.construct(target, given, newTarget === Simulated ? target : newTarget);
    },
    apply: (target) => {
      const process = SimulatedProcess.current;
      return process ? new Original(process.simulation.clock.now()).toString() : target();
    },
  });
  replaceTemporal();
  redefine(globalThis, "Date", Object.getOwnPropertyDescriptor(globalThis, "Date")!, Simulated);
  replace<typeof Date.now>(Original, "now", (_original, { simulation: { clock } }) => () => clock.now());
  replace<typeof performance.now>(
    performance,
    "now",
    (_original, { simulation: { clock } }) => () => clock.elapsed(),
  );
}

interface ZonedTime {
  readonly toPlainDateTime: () => object;
  readonly toPlainDate: () => object;
  readonly toPlainTime: () => object;
}

/** What this needs of `Temporal`, which not every version of Deno has. */
interface TemporalApi {
  readonly Now: Readonly<Record<string, (zone?: unknown) => unknown>> & { timeZoneId(): string };
  readonly Instant: {
    fromEpochMilliseconds(ms: number): { toZonedDateTimeISO(zone: unknown): ZonedTime };
  };
}

function replaceTemporal(): void {
  const { Temporal } = globalThis as unknown as { readonly Temporal?: TemporalApi };
  if (!Temporal) return;
  const { Now, Instant } = Temporal, zoneNow = Now.timeZoneId;
  const at = (clock: Clock) => Instant.fromEpochMilliseconds(Math.floor(clock.now()));
  const zoned = (clock: Clock, zone: unknown = zoneNow()) => at(clock).toZonedDateTimeISO(zone);
  const simulated: Readonly<Record<string, (clock: Clock, zone?: unknown) => unknown>> = {
    instant: at,
    zonedDateTimeISO: zoned,
    plainDateTimeISO: (...now) => zoned(...now).toPlainDateTime(),
    plainDateISO: (...now) => zoned(...now).toPlainDate(),
    plainTimeISO: (...now) => zoned(...now).toPlainTime(),
  };
  for (const [name, now] of Object.entries(simulated)) {
    replace<(zone?: unknown) => unknown>(
      Now,
      name,
      (_original, { simulation: { clock } }) => (zone) => now(clock, zone),
    );
  }
}

function replaceRandomness(): void {
  replace<typeof Math.random>(Math, "random", (_original, { simulation }) => () => simulation.ambient.next());
  replace<typeof crypto.randomUUID>(
    crypto,
    "randomUUID",
    (_original, { simulation }) => () => randomUuid(simulation.ambient) as ReturnType<typeof crypto.randomUUID>,
  );
  replace<(...parameters: unknown[]) => unknown>(
    nodeCrypto,
    "randomInt",
    (_original, { simulation }) => (...parameters) => {
      const number = randomInteger(simulation.ambient, parameters), last = parameters.at(-1);
      return typeof last === "function" ? last(null, number) : number;
    },
  );
  replace<(array: Uint8Array) => Uint8Array>(crypto, "getRandomValues", (_original, { simulation }) => (array) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let index = 0; index < bytes.length; index++) bytes[index] = Math.floor(simulation.ambient.next() * 256);
    return array;
  });
}

/** Below `max`, as of `randomInt(max)` and `randomInt(min, max)`. */
function randomInteger(random: Random, parameters: readonly unknown[]): number | undefined {
  const bounds = parameters.filter((each) => typeof each === "number");
  const [min, max] = bounds.length > 1 ? bounds as [number, number] : [0, bounds[0] ?? 0];
  return min + Math.floor(random.next() * (max - min));
}

/** Work of the machine whose result depends on nothing else: it is awaited, and no reason for a warning. */
const PURE = [
  "digest",
  "sign",
  "verify",
  "importKey",
  "exportKey",
  "deriveBits",
  "deriveKey",
  "encrypt",
  "decrypt",
  "wrapKey",
  "unwrapKey",
];

/** Calls that leave this process. Their results can differ from run to run. */
const OUTSIDE: readonly string[] = [
  "connect",
  "connectTls",
  "create",
  "lstat",
  "makeTempDir",
  "makeTempFile",
  "mkdir",
  "open",
  "readDir",
  "readFile",
  "readTextFile",
  "realPath",
  "remove",
  "rename",
  "resolveDns",
  "stat",
  "writeFile",
  "writeTextFile",
];

/** Of `Deno`, those that need no promise. */
const OUTSIDE_SYNC: readonly string[] = OUTSIDE.filter((name) => !/^connect|^resolve/.test(name)).map((name) =>
  `${name}Sync`
);

/** Modules of Node that reach the machine, as `import fs from "node:fs"` and `require` give them. */
const NODE_MODULES: Readonly<Record<string, object>> = {
  child_process: nodeChildProcess,
  dns: nodeDns,
  fs: nodeFs,
  "fs/promises": nodeFsPromises,
  http: nodeHttp,
  https: nodeHttps,
  net: nodeNet,
};

function replaceNodeModules(): void {
  for (const [module, holder] of Object.entries(NODE_MODULES)) {
    for (const name of Object.keys(holder).filter((each) => /^[a-z]/.test(each))) {
      replace<(...parameters: unknown[]) => unknown>(holder, name, (original, { simulation }) => (...parameters) => {
        simulation.warn(`${name} of node:${module}`);
        const call = () => Reflect.apply(original, holder, parameters) as Promise<unknown>;
        // What such a promise waits for is the machine's, too: it must not wait for its own end.
        return module === "fs/promises" ? simulation.work(() => SimulatedProcess.outside(call)) : call();
      });
    }
  }
}

/** A program that runs is outside of the simulation, too. */
function replaceCommand(): void {
  const Original = Deno.Command;
  const Simulated = new Proxy(Original, {
    construct(target, parameters): object {
      SimulatedProcess.current?.simulation.warn(`Deno.Command ${parameters[0]}`);
      return Reflect.construct(target, parameters);
    },
  });
  redefine(Deno, "Command", Object.getOwnPropertyDescriptor(Deno, "Command")!, Simulated);
  replace<Deno.Command["output"]>(
    Original.prototype,
    "output",
    (original, { simulation }) =>
      function (this: Deno.Command) {
        return simulation.work(() => original.call(this));
      },
  );
}

function replaceMachine(): void {
  replaceCommand();
  replaceNodeModules();
  replace<typeof crypto.subtle.generateKey>(
    crypto.subtle,
    "generateKey",
    (original, { simulation }) =>
      ((...parameters: Parameters<typeof original>) => {
        simulation.warn("crypto.subtle.generateKey");
        return simulation.work(() => Reflect.apply(original, crypto.subtle, parameters));
      }) as never,
  );
  for (const name of PURE) {
    replace<(...parameters: unknown[]) => Promise<unknown>>(
      crypto.subtle,
      name,
      (original, { simulation }) => (...parameters) =>
        simulation.work(() => Reflect.apply(original, crypto.subtle, parameters)),
    );
  }
  for (const name of [...OUTSIDE, ...OUTSIDE_SYNC]) {
    replace<(...parameters: unknown[]) => unknown>(Deno, name, (original, { simulation }) => (...parameters) => {
      simulation.warn(`Deno.${name}`);
      const result = original(...parameters);
      return result instanceof Promise ? simulation.work(() => result) : result;
    });
  }
  for (const holder of [Deno, process]) {
    replace<(code?: number) => never>(holder, "exit", (_original, { simulation }) => (code = 0) => {
      simulation.warn(`exit(${code})`);
      throw new Error(`exit(${code}) was called, which would end the whole exploration`);
    });
  }
  replace<typeof fetch>(globalThis, "fetch", (original, { simulation }) => (input, init) => {
    simulation.warn(`fetch ${new URL(input instanceof Request ? input.url : input).origin}`);
    return simulation.work(() => original(input, init));
  });
}
