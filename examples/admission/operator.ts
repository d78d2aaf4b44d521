// Admission: requests are judged and changed before the API server stores them, by the operator that will handle the
// objects.
// Try it: deno run -A examples/admission/operator.ts run --cluster embedded
import * as z from "zod";
import { AdmissionError, defineResource, Operator } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";

/** A room that is rented. What the schema of a CRD cannot say, the program's own schema does. */
export const Booking = defineResource({
  group: "examples.pintle.dev",
  version: "v1",
  kind: "Booking",
  spec: z.object({
    room: z.string().min(1),
    from: z.iso.date(),
    to: z.iso.date(),
    seats: z.int().min(1).max(200).default(1),
    bookedBy: z.string().optional(),
  }).refine(({ from, to }) => from <= to, { error: "must not be before spec.from", path: ["to"] }),
});

/** A fresh operator: who books is written down, and a booking keeps its room. */
export function operator(): Operator {
  const made = new Operator("bookings");
  made.on(Booking)
    .mutate(({ draft, user }) => void (draft.spec.bookedBy ??= user.username), {
      id: "booked-by",
      operations: ["CREATE"],
    })
    .validate(({ spec, oldSpec, warn }) => {
      if (oldSpec && oldSpec.room !== spec.room) throw new AdmissionError("spec.room stays: make another booking");
      if (oldSpec && oldSpec.bookedBy !== spec.bookedBy) throw new AdmissionError("spec.bookedBy stays as it is");
      if (spec.seats > 100) warn("more than 100 seats need a steward");
    }, { id: "rules" })
    .validate(({ annotations, user }) => {
      const keeper = annotations["examples.pintle.dev/keeper"];
      if (keeper && keeper !== user.username) throw new AdmissionError(`only ${keeper} may cancel this booking`);
    }, { id: "cancel", operations: ["DELETE"] });
  return made;
}

if (import.meta.main) Deno.exitCode = await cli(operator(), { args: Deno.args, env: Deno.env.toObject() });
