/** Schedules of CronJobs, with the messages of the parser that Kubernetes uses. */

const FIELDS = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"] },
  { min: 0, max: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
] as const;
const DESCRIPTORS = new Set(["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"]);

/** What is wrong with a schedule; undefined where nothing is. */
export function cronFault(schedule: string): string | undefined {
  const spec = schedule.replace(/^(?:CRON_)?TZ=\S+\s+/, "");
  if (spec === "") return "empty spec string";
  if (spec.startsWith("@")) return descriptorFault(spec);
  const parts = spec.trim().split(/\s+/);
  if (parts.length !== FIELDS.length) {
    return `expected exactly ${FIELDS.length} fields, found ${parts.length}: [${parts.join(" ")}]`;
  }
  for (const [index, part] of parts.entries()) {
    for (const range of part.split(",")) {
      const fault = rangeFault(range, FIELDS[index]!);
      if (fault !== undefined) return fault;
    }
  }
  return undefined;
}

function descriptorFault(spec: string): string | undefined {
  if (DESCRIPTORS.has(spec)) return undefined;
  const every = /^@every (.*)$/.exec(spec);
  if (!every) return `unrecognized descriptor: ${spec}`;
  const isDuration = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(every[1]!);
  return isDuration
    ? undefined
    : `failed to parse duration ${spec}: time: invalid duration ${JSON.stringify(every[1])}`;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

function rangeFault(text: string, { min, max, names }: Bounds): string | undefined {
  const [range = "", step, ...more] = text.split("/"), ends = range.split("-");
  if (more.length > 0) return `too many slashes: ${text}`;
  if (ends.length > 2) return `too many hyphens: ${text}`;
  const parsed = ends[0] === "*" || ends[0] === "?" ? [min, max] : ends.map((end) => numberOf(end, names));
  for (const value of parsed) if (typeof value === "string") return value;
  const [start, end = step === undefined ? start : max] = parsed as number[];
  if (step !== undefined) {
    const by = numberOf(step, undefined);
    if (typeof by === "string") return by;
    if (by === 0) return `step of range should be a positive number: ${text}`;
  }
  if (start! < min) return `beginning of range (${start}) below minimum (${min}): ${text}`;
  if (end! > max) return `end of range (${end}) above maximum (${max}): ${text}`;
  return start! > end! ? `beginning of range (${start}) beyond end of range (${end}): ${text}` : undefined;
}

function numberOf(text: string, names: readonly string[] | undefined): number | string {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + (names!.length === FIELDS[3].max ? 1 : 0);
  if (/^\d+$/.test(text)) return Number(text);
  return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
}
