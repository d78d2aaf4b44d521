import assert from "node:assert/strict";
import { type LeaseObject, LEASES, microTime } from "../../lib/election/lease.ts";

import { Replication, type ReplicationObject } from "../../lib/replicator/mod.ts";
import { findProgram } from "../outside_program.ts";
import { runBinary } from "./binary.ts";
import { ACCOUNT, InstalledCluster } from "./installed_cluster.ts";

const python = await findProgram("python3"); // its pty module is the terminal

/** Clears the screen, rings, turns the direction of writing, begins a line of its own, and starts a C1 sequence. */
const HOSTILE = "\x1b[2J\x1b]0;title\x07\u202Etxet\u2066\r\nok: forged\x9b31m\x7f";
/** The same without lines of its own: an argument is typed by the reader. */
const ARGUMENT = HOSTILE.replaceAll(/[\r\n]/g, "");
/** What `paint` writes. */
const STYLES = new RegExp("\x1b\\[(?:[0-2]|3[1-36])m", "g");
const FORBIDDEN = /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/u;

function assertPrintable(command: string, text: string): void {
  const found = FORBIDDEN.exec(text.replaceAll(STYLES, ""));
  const at = found?.index ?? 0;
  assert.equal(found, null, `${command}: ${JSON.stringify(text.slice(Math.max(0, at - 60), at + 60))}`);
  assert.doesNotMatch(text, /^ok: forged/m, `${command} was given a line of its own`);
}

/** A cluster in which everything that takes free text has hostile text. */
async function hostileCluster(): Promise<InstalledCluster & AsyncDisposable> {
  const cluster = await InstalledCluster.open();
  const from = await cluster.namespace("from"), to = await cluster.namespace("to");
  await cluster.pod("operator-1", {
    phase: "Pending",
    conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: HOSTILE }],
    containerStatuses: [{
      name: "operator",
      image: "x",
      imageID: "",
      ready: false,
      restartCount: 3,
      state: { waiting: { reason: "CrashLoopBackOff", message: HOSTILE } },
    }],
  });
  await cluster.replicate("token", from, to, {
    targets: { namespaces: [to], annotations: { note: HOSTILE } },
  });
  const renewTime = microTime(Date.now());
  for (const name of [ACCOUNT.name, "pintle-replicator-peer"]) {
    await cluster.client.apply<LeaseObject>(LEASES, {
      metadata: {
        namespace: ACCOUNT.namespace,
        name,
        labels: { "pintle.dev/peering": "pintle-replicator" },
        annotations: { "pintle.dev/priority": "100", "pintle.dev/message": HOSTILE, "pintle.dev/frozen-by": HOSTILE },
      },
      spec: { holderIdentity: HOSTILE, leaseDurationSeconds: 3_600, renewTime, acquireTime: renewTime },
    } as unknown as LeaseObject);
  }
  await cluster.client.patch<ReplicationObject>(Replication, { namespace: from, name: "token" }, {
    type: "merge",
    subresource: "status",
    body: {
      status: {
        conditions: [{
          type: "Stalled",
          status: "True",
          reason: "HotLoop",
          message: HOSTILE,
          lastTransitionTime: "2026-01-01T00:00:00Z",
        }],
      },
    },
  });
  return cluster;
}

const COMMANDS: readonly (readonly string[])[] = [
  ["doctor"],
  ["doctor", "--output", "json"],
  ["plan"],
  ["plan", "--output", "json"],
  ["install", "--dry-run"],
  ["freeze", "--lifetime", "1s", "--message", ARGUMENT],
  ["resume", "--id", ARGUMENT],
  ["resume", "--all"],
  ["uninstall", "--dry-run"],
  ["migrate-storage", "--dry-run"],
  ["manifests"],
  ["manifests", "--check", ARGUMENT],
  ["config"],
  ["config", "--output", "json"],
  ["config", "--context", ARGUMENT],
  ["run", "--context", ARGUMENT],
  ["test", "--filter", ARGUMENT],
  ["test", "--list", "--filter", ARGUMENT],
  ["test", ARGUMENT],
  ["init", ARGUMENT],
  ["demo", "--once", ARGUMENT],
  ["completions", "bash"],
  ["version", ARGUMENT],
  [ARGUMENT],
];

// FR-327
Deno.test("no command writes a control character, whatever a cluster or its arguments hold", async () => {
  await using cluster = await hostileCluster();
  for (const args of COMMANDS) {
    const { out, err } = await cluster.run(args);
    assertPrintable(`${args[0]} to standard output`, out);
    assertPrintable(`${args[0]} to standard error`, err);
  }
  const { out } = await cluster.run(["doctor"]);
  assert.match(out, /\u241b\[2J/, "the hostile text was there to be shown");
});

// FR-327
Deno.test("settings that are wrong are told without control characters", async () => {
  for (const name of ["PINTLE_LOG_LEVEL", "PINTLE_X"]) {
    const { code, err } = await runBinary(["config"], { env: { [name]: HOSTILE } });
    assert.equal(code, 2);
    assertPrintable("config", err);
  }
});

Deno.test({
  // FR-327
  name: "on a terminal a command styles text, and nothing from a cluster does",
  ignore: !python, // it makes the terminal, and there is none on this machine
  fn: async () => {
    await using cluster = await hostileCluster();
    const wrapper = ["python3", new URL("terminal.py", import.meta.url).pathname, "100", "50"];
    for (const command of ["doctor", "plan", "config"]) {
      const { out } = await cluster.run([command], { wrapper, env: { TERM: "xterm-256color" } });
      assertPrintable(command, out.replaceAll("\r\n", "\n"));
      assert.match(out, STYLES, `${command} is colored`);
    }
  },
});
