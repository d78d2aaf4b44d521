import { Namespace } from "../mod.ts";
import { type Client, globProblem } from "../client.ts";
import type { NamespaceObject } from "./copied_kinds.ts";
import { ACCEPT_ANNOTATION, ACCEPT_LENGTH_MAX, acceptedGlobs, isTrusted, type TrustSettings } from "./trust.ts";

/** Names and lines listed; others are counted. */
const LISTED_MAX = 20;

interface TrustFinding {
  readonly verdict: "ok" | "warning";
  readonly message: string;
  readonly fix?: string;
}

/** `doctor`'s check of trusted and accepting namespaces. Reads Namespaces; writes nothing. */
export const trustCheck = {
  name: "trust",
  async run({ client, settings, signal }: {
    readonly client: Pick<Client, "list">;
    readonly settings: Pick<TrustSettings, "trustedNamespaces">;
    readonly signal: AbortSignal;
  }): Promise<readonly TrustFinding[]> {
    const { items } = await client.list<NamespaceObject>(Namespace, { metadataOnly: true, signal });
    const namespaces = items.filter(({ metadata }) => !metadata?.deletionTimestamp);
    return [...trusted(settings.trustedNamespaces, namespaces), ...accepting(namespaces)];
  },
};

function trusted(globs: readonly string[], namespaces: readonly NamespaceObject[]): TrustFinding[] {
  if (globs.length === 0) {
    return [{
      verdict: "ok",
      message:
        `no namespace is trusted everywhere: copies go only where a Namespace has the annotation ${ACCEPT_ANNOTATION}`,
    }];
  }
  const names = namespaces.map(({ metadata }) => metadata?.name ?? "");
  const matched = names.filter((name) => isTrusted(name, { trustedNamespaces: globs }));
  const message = `PINTLE_TRUSTED_NAMESPACES (${globs.join(",")}) trusts ${
    listed(matched) || "no namespace that exists"
  }`;
  if (matched.length > 0 && matched.length === names.length) {
    return [{
      verdict: "warning",
      message:
        `${message}: everyone who may create a Replication in any of them writes Secrets and ConfigMaps to all others`,
      fix: "set PINTLE_TRUSTED_NAMESPACES to the namespaces of the platform's own teams",
    }];
  }
  const open = globs.filter((glob) => !/[*!]/.test(glob) && !names.includes(glob)).map((name): TrustFinding => ({
    verdict: "warning",
    message: `PINTLE_TRUSTED_NAMESPACES trusts ${name}, which does not exist: its creator will be trusted`,
    fix: `kubectl create namespace ${name}, or take it out of PINTLE_TRUSTED_NAMESPACES`,
  }));
  return [{ verdict: "ok", message }, ...open];
}

function accepting(namespaces: readonly NamespaceObject[]): TrustFinding[] {
  const found = namespaces.flatMap(({ metadata }) => {
    const globs = acceptedGlobs(metadata?.annotations), accepted = metadata?.annotations?.[ACCEPT_ANNOTATION] ?? "";
    if (accepted.length > ACCEPT_LENGTH_MAX) return [tooLong(metadata?.name ?? "")];
    return globs.length === 0 ? [] : [acceptance(metadata?.name ?? "", globs)];
  });
  const more = found.length - LISTED_MAX;
  if (more <= 0) return found;
  return [...found.slice(0, LISTED_MAX), { verdict: "ok", message: `${more} more namespaces accept copies` }];
}

function annotate(name: string): string {
  return `kubectl annotate --overwrite namespace ${name} ${ACCEPT_ANNOTATION}=NAMESPACE,…`;
}

function tooLong(name: string): TrustFinding {
  const message =
    `${ACCEPT_ANNOTATION} of namespace ${name} has more than ${ACCEPT_LENGTH_MAX} characters: it accepts nothing`;
  return { verdict: "warning", message, fix: annotate(name) };
}

function acceptance(name: string, globs: readonly string[]): TrustFinding {
  const fix = annotate(name);
  for (const glob of globs) {
    const problem = globProblem(glob);
    if (problem) {
      return { verdict: "warning", message: `${ACCEPT_ANNOTATION} of namespace ${name}: "${glob}" ${problem}`, fix };
    }
  }
  if (globs.every((glob) => glob.startsWith("!"))) {
    const message = `${ACCEPT_ANNOTATION} of namespace ${name} has only exclusions: it accepts nothing`;
    return { verdict: "warning", message, fix };
  }
  const message = `namespace ${name} accepts copies from ${globs.join(", ")}`;
  return globs.some((glob) => /^\*+$/.test(glob))
    ? { verdict: "warning", message: `${message}, which is every namespace`, fix }
    : { verdict: "ok", message };
}

function listed(names: readonly string[]): string {
  const more = names.length - LISTED_MAX;
  return names.slice(0, LISTED_MAX).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
