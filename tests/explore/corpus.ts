import type { Suite } from "@pintle/pintle/testing";
import type { PlanKind } from "../../lib/explore/mod.ts";
import * as accountOpenedTwice from "./bugs/account_opened_twice.ts";
import * as allReadyGate from "./bugs/all_ready_gate.ts";
import * as autoscaledClaims from "./bugs/autoscaled_claims.ts";
import * as backupTakenTwice from "./bugs/backup_taken_twice.ts";
import * as cleanupHalfway from "./bugs/cleanup_halfway.ts";
import * as clockSetBack from "./bugs/clock_set_back.ts";
import * as configWithoutRestart from "./bugs/config_without_restart.ts";
import * as conflictOverwrites from "./bugs/conflict_overwrites.ts";
import * as conflictSwallowed from "./bugs/conflict_swallowed.ts";
import * as copiesUnseen from "./bugs/copies_unseen.ts";
import * as countRollsBudgetBack from "./bugs/count_rolls_budget_back.ts";
import * as daemonKeepsSpec from "./bugs/daemon_keeps_spec.ts";
import * as expectationsByName from "./bugs/expectations_by_name.ts";
import * as fieldIgnored from "./bugs/field_ignored.ts";
import * as growBeforeCleanup from "./bugs/grow_before_cleanup.ts";
import * as limitReplacesBudget from "./bugs/limit_replaces_budget.ts";
import * as listCutShort from "./bugs/list_cut_short.ts";
import * as missingRule from "./bugs/missing_rule.ts";
import * as namesakeClaim from "./bugs/namesake_claim.ts";
import * as namesakeStatefulset from "./bugs/namesake_statefulset.ts";
import * as newPodUnseen from "./bugs/new_pod_unseen.ts";
import * as offAndOnUnseen from "./bugs/off_and_on_unseen.ts";
import * as oldShardingToggle from "./bugs/old_sharding_toggle.ts";
import * as partialReference from "./bugs/partial_reference.ts";
import * as portDeletesService from "./bugs/port_deletes_service.ts";
import * as randomNamesHotLoop from "./bugs/random_names_hot_loop.ts";
import * as removedLabelStays from "./bugs/removed_label_stays.ts";
import * as resizeDeletesStatefulset from "./bugs/resize_deletes_statefulset.ts";
import * as scaleDownProgressLost from "./bugs/scale_down_progress_lost.ts";
import * as secondCertificate from "./bugs/second_certificate.ts";
import * as secretInEvent from "./bugs/secret_in_event.ts";
import * as settingsSeenLate from "./bugs/settings_seen_late.ts";
import * as startAfterLabel from "./bugs/start_after_label.ts";
import * as wrongOwner from "./bugs/wrong_owner.ts";
import { correct as countedChecks } from "./correct/counted_checks.ts";
import { correct as externalIds } from "./correct/external_ids.ts";
import { correct as jobPerAttempt } from "./correct/job_per_attempt.ts";
import { correct as randomPasswords } from "./correct/random_passwords.ts";
import { correct as releasedRecords } from "./correct/released_records.ts";
import { correct as retriesCreateMore } from "./correct/retries_create_more.ts";
import { correct as statusRollUp } from "./correct/status_roll_up.ts";
import { correct as timestamps } from "./correct/timestamps.ts";

/** An operator with a planted bug, and the same without it. */
export interface PlantedBug {
  readonly name: string;
  /** The kind of plan that shows it. */
  readonly pattern: Exclude<PlanKind, "pairs">;
  readonly buggy: Suite;
  readonly fixed: Suite;
}

/** The planted bugs. */
export const BUGS: readonly PlantedBug[] = [
  { name: "namesake_statefulset", pattern: "stale", ...namesakeStatefulset },
  { name: "namesake_claim", pattern: "stale", ...namesakeClaim },
  { name: "resize_deletes_statefulset", pattern: "stale", ...resizeDeletesStatefulset },
  { name: "port_deletes_service", pattern: "stale", ...portDeletesService },
  { name: "limit_replaces_budget", pattern: "stale", ...limitReplacesBudget },
  { name: "count_rolls_budget_back", pattern: "stale", ...countRollsBudgetBack },
  { name: "old_sharding_toggle", pattern: "stale", ...oldShardingToggle },
  { name: "scale_down_progress_lost", pattern: "crash", ...scaleDownProgressLost },
  { name: "second_certificate", pattern: "crash", ...secondCertificate },
  { name: "start_after_label", pattern: "crash", ...startAfterLabel },
  { name: "config_without_restart", pattern: "crash", ...configWithoutRestart },
  { name: "cleanup_halfway", pattern: "crash", ...cleanupHalfway },
  { name: "autoscaled_claims", pattern: "hidden", ...autoscaledClaims },
  { name: "off_and_on_unseen", pattern: "hidden", ...offAndOnUnseen },
  { name: "new_pod_unseen", pattern: "hidden", ...newPodUnseen },
  { name: "removed_label_stays", pattern: "specs", ...removedLabelStays },
  { name: "partial_reference", pattern: "specs", ...partialReference },
  { name: "backup_taken_twice", pattern: "late", ...backupTakenTwice },
  { name: "grow_before_cleanup", pattern: "stale", ...growBeforeCleanup },
  { name: "field_ignored", pattern: "specs", ...fieldIgnored },
  { name: "all_ready_gate", pattern: "specs", ...allReadyGate },
  { name: "expectations_by_name", pattern: "hidden", ...expectationsByName },
  { name: "list_cut_short", pattern: "events", ...listCutShort },
  { name: "conflict_overwrites", pattern: "foreign", ...conflictOverwrites },
  { name: "conflict_swallowed", pattern: "errors", ...conflictSwallowed },
  { name: "random_names_hot_loop", pattern: "stale", ...randomNamesHotLoop },
  { name: "wrong_owner", pattern: "stale", ...wrongOwner },
  { name: "secret_in_event", pattern: "errors", ...secretInEvent },
  { name: "missing_rule", pattern: "crash", ...missingRule },
  { name: "account_opened_twice", pattern: "crash", ...accountOpenedTwice },
  { name: "clock_set_back", pattern: "clock", ...clockSetBack },
  { name: "settings_seen_late", pattern: "events", ...settingsSeenLate },
  { name: "copies_unseen", pattern: "stale", ...copiesUnseen },
  { name: "daemon_keeps_spec", pattern: "specs", ...daemonKeepsSpec },
];

/** Operators without a bug that a naive comparison of two runs would complain about. */
export const CORRECT: readonly Suite[] = [
  randomPasswords,
  timestamps,
  jobPerAttempt,
  retriesCreateMore,
  externalIds,
  releasedRecords as Suite<unknown>,
  statusRollUp,
  countedChecks,
];
