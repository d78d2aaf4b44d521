/** Why an expression does not compile, in the order of the source. */
export class Issues {
  readonly #source: string;
  readonly #found: { readonly at: number; readonly message: string }[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  /** `at` is an offset into the source. */
  report(at: number, message: string): void {
    this.#found.push({ at, message });
  }

  get any(): boolean {
    return this.#found.length > 0;
  }

  /** As cel-go prints them: the position, the line, and a mark under the column. */
  toString(): string {
    const lines = this.#source.split("\n");
    return this.#found
      .map((issue) => ({ ...issue, ...this.#position(issue.at) }))
      .sort((left, right) => left.line - right.line || left.column - right.column)
      .map(({ message, line, column }) => {
        const text = (lines[line - 1] ?? "").replaceAll("\t", " ");
        const letters = [...text];
        const dots = letters.slice(0, column).map((letter) => letter > "\x7f" ? "\uff0e" : ".").join("");
        const mark = (letters[column] ?? "") > "\x7f" ? "\uff3e" : "^";
        return `ERROR: <input>:${line}:${column + 1}: ${message}\n | ${text}\n | ${dots}${mark}`;
      })
      .join("\n");
  }

  #position(at: number): { line: number; column: number } {
    const before = this.#source.slice(0, at);
    const start = before.lastIndexOf("\n") + 1;
    return { line: before.split("\n").length, column: [...before.slice(start)].length };
  }
}
