import { createHash } from "node:crypto";
import { stringify } from "yaml";
import type { EnvtestMirror } from "../../lib/harness/mod.ts";

/** What a mirror answers for a path instead of what it has. */
export type Answer = (request: Request) => Response | Promise<Response>;

const PLATFORM = "linux-amd64";

/** A server of this machine that has control planes to download, as controller-tools and Kubernetes publish them. */
export class LocalMirror implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #files = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #releases: Record<string, Record<string, { hash: string; selfLink: string }>> = {};
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  /** Answers that differ, by path. */
  readonly answers = new Map<string, Answer>();

  constructor() {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      const { pathname } = new URL(request.url), answer = this.answers.get(pathname);
      this.asked.push(pathname);
      if (answer) return answer(request);
      if (pathname === "/index.yaml") return new Response(stringify({ releases: this.#releases }));
      const file = this.#files.get(pathname);
      return file ? new Response(file) : new Response("nothing here", { status: 404, statusText: "Not Found" });
    });
  }

  /** Its address. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  /** What names it to a download. */
  get mirror(): EnvtestMirror {
    return { indexUrl: `${this.url}index.yaml`, kubernetesUrl: this.url };
  }

  /** Has a version: an archive as the real ones are, without kube-controller-manager, and that program beside it. */
  async release(
    version: string,
    options: { archive?: Uint8Array<ArrayBuffer>; programs?: string } = {},
  ): Promise<void> {
    const script = options.programs ?? "#!/bin/sh\nexit 0\n", folder = "controller-tools/envtest";
    const archive = options.archive ?? await archiveOf({
      [`${folder}/kube-apiserver`]: `${script}# kube-apiserver ${version}\n`,
      [`${folder}/kubectl`]: script,
      [`${folder}/etcd`]: `${script}# etcd ${version}\n`,
    });
    const name = `envtest-v${version}-${PLATFORM}.tar.gz`, selfLink = `archives/${name}`;
    this.#files.set(`/${selfLink}`, archive);
    this.#releases[`v${version}`] = { [name]: { hash: digest("sha512", archive), selfLink } };
    const manager = new TextEncoder().encode(`${script}# kube-controller-manager ${version}\n`);
    const path = `/release/v${version}/bin/linux/amd64/kube-controller-manager`;
    this.#files.set(path, manager);
    this.#files.set(`${path}.sha256`, new TextEncoder().encode(digest("sha256", manager)));
  }

  /** The path of a version's archive. */
  archivePath(version: string): string {
    return `/archives/envtest-v${version}-${PLATFORM}.tar.gz`;
  }

  /** The path of a version's controller manager. */
  managerPath(version: string): string {
    return `/release/v${version}/bin/linux/amd64/kube-controller-manager`;
  }

  /** The file under a path. */
  file(path: string): Uint8Array<ArrayBuffer> {
    return this.#files.get(path)!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function digest(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

/** A gzipped tar archive of these files, as the machine's own tar makes it. */
async function archiveOf(files: Readonly<Record<string, string>>): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await Deno.makeTempDir({ prefix: "archive-" });
  try {
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(`${folder}/${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
      await Deno.writeTextFile(`${folder}/${path}`, text, { mode: 0o755 });
    }
    const [top] = Object.keys(files)[0]!.split("/");
    const tar = new Deno.Command("tar", {
      args: ["-czf", "-", "-C", folder, top!],
      stdout: "piped",
      stderr: "inherit",
    });
    const { stdout } = await tar.output();
    return stdout;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** An entry of a tar archive, header by header: what no tar would write can be written too. */
export interface RawEntry {
  readonly path: string;
  readonly type?: string;
  readonly content?: string | Uint8Array;
  readonly linkTo?: string;
}

/** A tar archive of these entries, not compressed. */
export function rawTar(entries: readonly RawEntry[]): Uint8Array<ArrayBuffer> {
  const blocks: Uint8Array[] = [];
  for (const { path, type = "0", content = "", linkTo = "" } of entries) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const header = new Uint8Array(512),
      put = (text: string, at: number) => header.set(new TextEncoder().encode(text), at);
    put(path, 0);
    put("0000755\0" + "0000000\0" + "0000000\0" + `${bytes.length.toString(8).padStart(11, "0")}\0`, 100);
    put("00000000000\0" + "        " + type + linkTo, 136);
    put("ustar\x0000", 257);
    const sum = header.reduce((all, byte) => all + byte, 0);
    put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    blocks.push(header, bytes, new Uint8Array((512 - bytes.length % 512) % 512));
  }
  blocks.push(new Uint8Array(1_024));
  const all = new Uint8Array(blocks.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return all;
}

/** The same, gzipped. */
export async function gzipped(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
