/** What a terminal of some columns shows: enough of ECMA-48 for programs that redraw lines in place. */
export class Screen {
  readonly #lines: string[][] = [[]];
  #row = 0;
  #column = 0;
  /** Lines that were too long and went on in the next one. */
  wrapped = 0;
  /** Whether the cursor shows. */
  cursor = true;
  /** Whether anything was ever colored. */
  colored = false;

  constructor(readonly columns: number) {}

  /** What it shows now, without trailing blanks. */
  get text(): string {
    return this.#lines.map((line) => line.join("").trimEnd()).join("\n").trimEnd();
  }

  /**
   * Takes what a program wrote.
   *
   * @throws {Error} for a sequence that it does not know: what it would show then is not what a person sees.
   */
  write(output: string): this {
    // deno-lint-ignore no-control-regex -- control sequences are what is read
    for (const [part, parameters, final] of output.matchAll(/\x1b\[([?\d;]*)([A-Za-z])|[^]/gu)) {
      if (final === undefined) this.#put(part);
      else this.#control(parameters!, final);
    }
    return this;
  }

  #put(letter: string): void {
    if (letter === "\r") this.#column = 0;
    else if (letter === "\n") this.#down();
    else if (letter < " ") throw new Error(`control character ${JSON.stringify(letter)}`);
    else {
      if (this.#column === this.columns) {
        this.wrapped++;
        this.#column = 0;
        this.#down();
      }
      const line = this.#lines[this.#row]!;
      while (line.length < this.#column) line.push(" ");
      line[this.#column++] = letter;
    }
  }

  #down(): void {
    this.#row++;
    if (this.#row === this.#lines.length) this.#lines.push([]);
  }

  #control(parameters: string, final: string): void {
    const count = Number(parameters || 1);
    if (final === "A") this.#row = Math.max(0, this.#row - count);
    else if (final === "B") { for (let moved = 0; moved < count; moved++) this.#down(); }
    else if (final === "G") this.#column = count - 1;
    else if (final === "K" && (parameters === "" || parameters === "0")) this.#lines[this.#row]!.splice(this.#column);
    else if (final === "K" && parameters === "2") this.#lines[this.#row]!.splice(0);
    else if (final === "J" && (parameters === "" || parameters === "0")) {
      this.#lines[this.#row]!.splice(this.#column);
      this.#lines.splice(this.#row + 1);
    } else if (final === "m") this.colored ||= parameters !== "" && parameters !== "0";
    else if (parameters === "?25") this.cursor = final === "h";
    // begins or ends a frame
    else if (parameters !== "?2026") throw new Error(`control sequence ESC[${parameters}${final}`);
  }
}
