/** Modules of Node whose functions reach the machine. What is imported from them by name cannot be replaced. */
const MACHINE = /^node:(?:child_process|dgram|dns|fs|http|http2|https|net|tls)(?:\/promises)?$/;
/** Of `node:crypto`, what draws random values of its own. */
const RANDOM = /^(?:randomInt|generate(?:Key|Prime)\w*)$/;
const FROM =
  /\b(?:import|export)\s+(?:type\s+)?([^"';()]*?)\s*\bfrom\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/g;
const MODULES_MAX = 2_000;
const OWN = new URL("..", import.meta.url).href;

/** A variable of a module that can change: one declared with `let`, or a collection that begins empty. */
const VARIABLE =
  /^(?:export\s+)?(?:let\s+(\w+)|const\s+(\w+)[^=\n]*=\s*(?:new\s+(?:Weak)?(?:Map|Set)\b(?:<.*>)?\(\)|\[\]|\{\})\s*(?:;|$))/gm;

/** What the local modules of a program, except Pintle's, keep from a simulation. */
export interface Escapes {
  /** The functions of Node that they import by name or as `*`: `readFileSync of node:fs (operator.ts)`. */
  readonly calls: readonly string[];
  /** Their variables: the memory of a process, which a simulated one does not lose. `accounts (operator.ts)`. */
  readonly memory: readonly string[];
}

/** What no simulation of the program `main` notices. Modules that cannot be read are passed over. */
export async function escapes(main: string, read: (url: URL) => Promise<string>): Promise<Escapes> {
  const calls = new Set<string>(), memory = new Set<string>(), known = new Set([new URL(main).href]);
  for (const module of known) {
    if (module.startsWith(OWN)) continue;
    const source = await read(new URL(module)).catch(() => ""), file = module.split("/").at(-1);
    for (const [, variable, collection] of source.matchAll(VARIABLE)) memory.add(`${variable ?? collection} (${file})`);
    for (const [text, names = "", from, dynamic] of source.matchAll(FROM)) {
      const specifier = from ?? dynamic!;
      if (/^\.{1,2}\//.test(specifier) && known.size < MODULES_MAX) known.add(new URL(specifier, module).href);
      if (/^(?:import|export)\s+type\b/.test(text)) continue;
      for (const name of namesOf(names)) {
        const isReal = MACHINE.test(specifier) || specifier === "node:crypto" && RANDOM.test(name);
        if (isReal) calls.add(`${name} of ${specifier} (${file})`);
      }
    }
  }
  return { calls: [...calls], memory: [...memory] };
}

/** `a`, `b` and `*` of `main, { a, b as c, type D }` and `* as d`. */
function namesOf(clause: string): string[] {
  if (clause.includes("*")) return ["*"];
  const [, list = ""] = /\{([^}]*)\}/.exec(clause) ?? [];
  return list.split(",").map((each) => each.trim()).filter((each) =>
    each !== "" && !/^(?:type\s|default\b|constants\b|[A-Z])/.test(each)
  )
    .map((each) => each.split(/\s+as\s+/)[0]!);
}
