/** A proxy that opens tunnels (CONNECT), as in companies. It resolves all names, to one server. */
export class ConnectProxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.Conn>();
  readonly #serving = new Set<Promise<void>>();
  readonly #running: Promise<void>;
  /** The requested targets: `api.example:443`. */
  readonly targets: string[] = [];
  /** Its response instead of opening a tunnel. */
  refuses: string | undefined;

  /** Tunnels lead to `port` of this machine; `account` is the required `USER:PASSWORD`, if any. */
  constructor(readonly port: number, readonly account?: string) {
    this.#running = this.#run();
  }

  /** Its address, with an account. */
  url(account = this.account): string {
    const { port } = this.#listener.addr, user = account && `${account.split(":").map(encodeURIComponent).join(":")}@`;
    return `http://${user ?? ""}127.0.0.1:${port}`;
  }

  /** Ends every tunnel, and opens no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) closed(connection);
    await this.#running;
    await Promise.all(this.#serving);
  }

  async #run(): Promise<void> {
    try {
      for await (const connection of this.#listener) {
        const serving = this.#serve(connection).catch(() => {}).finally(() => {
          closed(connection);
          this.#open.delete(connection);
          this.#serving.delete(serving);
        });
        this.#open.add(connection);
        this.#serving.add(serving);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)) throw error;
    }
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    const head = await headOf(connection);
    const [, target] = /^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(head) ?? [];
    if (target) this.targets.push(target);
    const [, given] = /\r\nproxy-authorization: Basic (\S+)\r\n/i.exec(head) ?? [];
    const answer = (line: string) => connection.write(new TextEncoder().encode(`HTTP/1.1 ${line}\r\n\r\n`));
    if (this.account && given !== btoa(this.account)) {
      await answer('407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm="x"');
      return;
    }
    if (this.refuses) {
      await answer(this.refuses);
      return;
    }
    const server = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
    this.#open.add(server);
    try {
      await answer("200 Connection established");
      await Promise.race([
        connection.readable.pipeTo(server.writable, { preventClose: true }),
        server.readable.pipeTo(connection.writable, { preventClose: true }),
      ]);
    } finally {
      this.#open.delete(server);
      closed(server);
    }
  }
}

async function headOf(connection: Deno.Conn): Promise<string> {
  const bytes = new Uint8Array(8_192);
  let head = "";
  while (!head.includes("\r\n\r\n")) {
    const count = await connection.read(bytes);
    if (count === null) throw new Error("it left");
    head += new TextDecoder().decode(bytes.subarray(0, count));
  }
  return head;
}

function closed(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It has closed by itself.
  }
}
