/**
 * `*` stands for any number of characters. Linear in the product of the lengths: a pattern from an object must not
 * block the operator, as a regular expression could.
 */
export function matchesGlob(glob: string, name: string): boolean {
  let at = 0, mark = 0, star = -1, position = 0;
  while (position < name.length) {
    if (at < glob.length && glob[at] === "*") {
      star = at++;
      mark = position;
    } else if (at < glob.length && glob[at] === name[position]) {
      at++;
      position++;
    } else if (star >= 0) {
      at = star + 1;
      position = ++mark;
    } else return false;
  }
  while (glob[at] === "*") at++;
  return at === glob.length;
}

/** At least one glob includes `name`, none excludes it (`!`). A list of only exclusions includes everything else. */
export function matchesGlobs(globs: readonly string[], name: string): boolean {
  const including = globs.filter((glob) => !glob.startsWith("!"));
  const excluding = globs.filter((glob) => glob.startsWith("!")).map((glob) => glob.slice(1));
  if (excluding.some((glob) => matchesGlob(glob, name))) return false;
  return including.length === 0 ? excluding.length > 0 : including.some((glob) => matchesGlob(glob, name));
}

/** Why a glob can never match a namespace, if so. */
export function globProblem(glob: string): string | undefined {
  const pattern = glob.startsWith("!") ? glob.slice(1) : glob;
  if (pattern === "") return "is empty";
  const wrong = /[^a-z0-9*-]/.exec(pattern);
  if (wrong) {
    return `holds "${wrong[0]}": namespaces are lower-case letters, digits and "-", and "*" matches any of them`;
  }
  if (pattern.replaceAll("*", "").length > 63) return "is longer than a namespace's name can be";
  return undefined;
}
