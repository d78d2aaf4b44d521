/** What happens when a function of a world is called: `call` calls it. */
export type CallHook = (name: string, call: () => unknown, isAsync: boolean) => unknown;

/**
 * A world as the operator gets it: each call of a function of it, or of an object in it, goes through `onCall`. Objects
 * of built-in classes are left as they are.
 */
export function observedWorld<W>(world: W, onCall: CallHook): W {
  return new WorldObserver(onCall).see(world, "world") as W;
}

class WorldObserver {
  readonly #seen = new WeakMap<object, object>();

  constructor(readonly onCall: CallHook) {}

  see(value: unknown, name: string): unknown {
    if (!isOwn(value)) return value;
    let seen = this.#seen.get(value);
    if (!seen) this.#seen.set(value, seen = this.#proxy(value, name));
    return seen;
  }

  #proxy(value: object, name: string): object {
    const proxy: object = new Proxy(value, {
      get: (target, key) => {
        // With the target as `this`: a proxy has no private members.
        const member: unknown = Reflect.get(target, key, target),
          descriptor = Reflect.getOwnPropertyDescriptor(target, key);
        if (descriptor?.configurable === false && descriptor.writable === false) return member;
        if (typeof key === "symbol") return typeof member === "function" ? member.bind(target) : member;
        if (typeof member !== "function") return this.see(member, `${name}.${key}`);
        return this.#function(member as Callable, { name: `${name}.${key}`, proxy, target });
      },
    });
    return proxy;
  }

  #function(member: Callable, { name, proxy, target }: Place): object {
    const isAsync = member.constructor.name === "AsyncFunction";
    return new Proxy(member, {
      apply: (call, self, parameters) =>
        this.onCall(name, () => Reflect.apply(call, self === proxy ? target : self, parameters), isAsync),
    });
  }
}

type Callable = (...parameters: unknown[]) => unknown;

interface Place {
  readonly name: string;
  readonly proxy: object;
  readonly target: object;
}

/** Whether it is a plain object, or of a class of the suite. */
function isOwn(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const { constructor } = value;
  return constructor === Object || typeof constructor !== "function" ||
    Reflect.get(globalThis, constructor.name) !== constructor;
}
