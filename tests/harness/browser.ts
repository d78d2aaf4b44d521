import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { findProgram } from "../outside_program.ts";

const executablePath = await findProgram("chromium") ?? await findProgram("chromium-browser") ??
  await findProgram("google-chrome");
/** Why no browser can be had; undefined where one can. */
export const noBrowser = executablePath ? undefined : "there is no chromium";

/** A browser with one page of a file, which notes whatever the page asks for or complains about. */
export class OpenedPage implements AsyncDisposable {
  readonly requests: string[] = [];
  readonly complaints: string[] = [];

  private constructor(readonly browser: Browser, readonly page: Page, readonly folder: string) {
    page.on("request", (request) => this.requests.push(request.url()));
    page.on("console", (message) => this.complaints.push(message.text()));
    page.on("pageerror", (error) => this.complaints.push(error.message));
  }

  /** Opens a document. */
  static async open(document: string, options: BrowserContextOptions = {}, fragment = ""): Promise<OpenedPage> {
    const folder = await Deno.makeTempDir({ prefix: "pintle-browser-" });
    await Deno.writeTextFile(`${folder}/report.html`, document);
    // The sandbox needs rights that a container has not; the rest keeps the browser from looking for its maker's hosts.
    const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update"];
    const browser = await chromium.launch({
      executablePath,
      args: [...args, "--disable-background-networking", "--disable-sync"],
    });
    const page = await (await browser.newContext(options)).newPage();
    const opened = new OpenedPage(browser, page, folder);
    await page.goto(`file://${folder}/report.html${fragment}`);
    return opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}
