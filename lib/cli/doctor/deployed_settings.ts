import { UsageError } from "../../base/mod.ts";
import type { BuiltinObject } from "../../operator/mod.ts";
import { resolveSettings, type SettingTable } from "../setting.ts";
import type { Settings } from "../settings.ts";

interface DeployedSettings {
  readonly container: string;
  readonly settings: Settings | undefined;
  readonly problems: readonly string[];
  readonly memoryLimit: string | undefined;
}

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly resources?: { readonly limits?: { readonly memory?: string } };
}

/** A Deployment's settings, as the program will read them. */
export function deployedSettings({ spec }: BuiltinObject, table: SettingTable): DeployedSettings[] {
  const { template } = (spec ?? {}) as { template?: { spec?: { containers?: readonly Container[] } } };
  return (template?.spec?.containers ?? []).map((container) => {
    const defaults = new Map(Object.values(table).map((setting) => [setting.env, setting.default]));
    // Only the node knows values from a Secret or a field, so only names are checked.
    const env = Object.fromEntries(
      (container.env ?? []).map(({ name, value, valueFrom }) => [
        name,
        valueFrom === undefined ? value ?? "" : defaults.get(name) ?? "",
      ]),
    );
    const { name, resources } = container, memoryLimit = resources?.limits?.memory;
    try {
      const settings = resolveSettings(table, env, {}).values as unknown as Settings;
      return { container: name, settings, problems: [], memoryLimit };
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      return { container: name, settings: undefined, problems: error.message.split("\n"), memoryLimit };
    }
  });
}
