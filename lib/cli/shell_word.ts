/** In single quotes, as bash, zsh and (without a backslash in the text) fish read it. */
export function quoteWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A word of a command to type, quoted only where a shell would read it otherwise. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : quoteWord(text);
}
