import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);

/** The files below a folder, as paths from it; none where it is missing. */
async function filesBelow(folder: URL, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) found.push(...await filesBelow(new URL(`${name}/`, folder), `${prefix}${name}/`));
      else found.push(`${prefix}${name}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found;
}

/** Whether a test of this name is about `subject`, alone or about one aspect of it. */
function isAbout(test: string, subject: string): boolean {
  return test === subject || test.startsWith(`${subject}_`);
}

/** The names of a folder's files and subfolders, and the words that two files or more begin or end with. */
function subjectsOf(files: readonly string[], folder: string): string[] {
  const below = files.filter((file) => file.startsWith(folder)).map((file) => file.slice(folder.length));
  const names = [...new Set(below.map((file) => file.split("/")[0]!.replace(/\.ts$/, "")))];
  const shared = names.flatMap((name) => {
    const words = name.split("_"), cuts = words.slice(1).map((_, at) => at + 1);
    return cuts.flatMap((at) => [words.slice(0, at).join("_"), words.slice(at).join("_")]);
  });
  return [...names, ...shared.filter((word, at) => shared.indexOf(word) !== at)];
}

/** The tests whose names name nothing of the package's files. */
function misnamed(tests: readonly string[], files: readonly string[]): string[] {
  return tests.filter((path) => {
    const at = path.lastIndexOf("/") + 1, test = path.slice(at).replace(/_test\.ts$/, "");
    return !subjectsOf(files, path.slice(0, at)).some((subject) => isAbout(test, subject));
  });
}

Deno.test("a test in a folder with a package's name is named after what it tests in that package", async () => {
  for await (const { name, isDirectory } of Deno.readDir(new URL("lib/", ROOT))) {
    if (!isDirectory) continue;
    const tests = (await filesBelow(new URL(`tests/${name}/`, ROOT))).filter((path) => path.endsWith("_test.ts"));
    const wrong = misnamed(tests, await filesBelow(new URL(`lib/${name}/`, ROOT)));
    assert.deepEqual(wrong, [], `tests/${name}: name these as "Tests" in CONTRIBUTING.md says, or move them`);
  }
});

Deno.test("a test is about a file, a folder or a word that files share, and about nothing else", () => {
  const files = ["run.ts", "report_html.ts", "report_lines.ts", "json_patch.ts", "merge_patch.ts", "doctor/check.ts"];
  const right = ["run_test.ts", "run_proxy_test.ts", "report_test.ts", "patch_test.ts", "doctor_findings_test.ts"];
  assert.deepEqual(misnamed([...right, "doctor/check_test.ts"], files), []);
  const wrong = ["running_test.ts", "html_test.ts", "check_test.ts", "doctor/run_test.ts"];
  assert.deepEqual(misnamed(wrong, files), wrong);
});
