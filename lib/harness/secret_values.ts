import { isObject, parseJson } from "../base/mod.ts";

/** A shorter value is a word like any other: to take it out would garble what is told and hide nothing. */
const LENGTH_MIN = 6;
/** Values of one scenario; what comes later is not known. */
const VALUES_MAX = 2_000;
const HIDDEN = "[secret]";

/**
 * The values of Secrets that went over a scenario's connections, so that they can be taken out of whatever is told of it: a
 * failed comparison quotes what it compared, and reports are published. A value of fewer than six letters is not known, nor is a
 * part of one; of a value of several lines each line is.
 */
export class SecretValues {
  readonly #values = new Set<string>();

  /** Takes note of the Secrets in a body that was sent to this path, or that came from it. */
  note(path: string, body: string | undefined): void {
    if (!body || !/\/secrets(?:[/?]|$)/.test(path)) return;
    try {
      this.#noteAll(parseJson<unknown>(body));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error; // what is no JSON is the server's to refuse
    }
  }

  /** The text with every known value replaced. */
  hide(text: string): string {
    let shown = text;
    for (const value of this.#values) if (shown.includes(value)) shown = shown.replaceAll(value, HIDDEN);
    return shown;
  }

  /** The same for every text in a value that JSON can carry. */
  hideIn<T>(value: T): T {
    if (typeof value === "string") return this.hide(value) as T;
    if (Array.isArray(value)) return value.map((item) => this.hideIn(item)) as T;
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, this.hideIn(field)])) as T;
  }

  #noteAll(body: unknown): void {
    if (Array.isArray(body)) { // a JSON patch, or the items of a list
      for (const item of body) {
        if (!isObject(item)) continue;
        const [, field] = /^\/(data|stringData)\b/.exec(`${item.path ?? ""}`) ?? [];
        if (field) this.#noteField(item.value, field);
        else this.#noteAll(item);
      }
    } else if (isObject(body)) {
      for (const field of ["data", "stringData"]) this.#noteField(body[field], field);
      if (body.items) this.#noteAll(body.items);
    }
  }

  #noteField(value: unknown, field: string): void {
    const texts = typeof value === "string" ? [value] : isObject(value) ? Object.values(value) : [];
    for (const text of texts) {
      if (typeof text !== "string") continue;
      this.#add(text);
      this.#add(field === "data" ? decoded(text) : encoded(text));
    }
  }

  #add(value: string): void {
    for (const line of value.split(/\r?\n/)) {
      // As it stands, and as a message that shows it as JSON has it.
      for (const form of [line, JSON.stringify(line).slice(1, -1)]) {
        if (form.length >= LENGTH_MIN && this.#values.size < VALUES_MAX) this.#values.add(form);
      }
    }
  }
}

function decoded(base64: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.fromBase64(base64));
  } catch {
    return ""; // what is no base64 is the server's to refuse
  }
}

function encoded(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
