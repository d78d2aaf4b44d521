import * as z from "zod";
import { type Condition, formatTime } from "../lib/apimachinery/mod.ts";
import { ConfigMap, type CustomObject, type CustomResource, defineResource, Operator } from "../lib/operator/mod.ts";
import type { VirtualWorld } from "./virtual_world.ts";
import type { World } from "./world.ts";

const SPEC = z.object({
  size: z.int().min(1).default(1),
  note: z.string().optional(),
});
const STATUS = z.object({ phase: z.string().optional(), size: z.int().optional(), note: z.string().optional() });

export type WidgetSpec = z.output<typeof SPEC>;
export type WidgetStatus = z.output<typeof STATUS>;
export type WidgetObject = CustomObject<WidgetSpec, WidgetStatus>;
export type WidgetKind = CustomResource<WidgetSpec, WidgetStatus>;

/** A kind of its own for one test file, so that files share nothing on a cluster that they share. */
export function widgetKind(file: string): WidgetKind {
  return defineResource({
    group: `${file}.test.pintle.dev`,
    version: "v1",
    kind: "Widget",
    spec: SPEC,
    status: STATUS,
  });
}

/** An operator whose widgets own one ConfigMap of their name, which holds their size. */
export function configMapOperator(Widget: WidgetKind, name: string = "widgets"): Operator {
  const operator = new Operator(name);
  operator.on(Widget).reconcile(async ({ spec, apply, status }) => {
    await apply(ConfigMap, { data: { size: `${spec.size}` } });
    status.set({ phase: "Applied", size: spec.size });
  }, { owns: [ConfigMap] });
  return operator;
}

/** Creates a widget. */
export function createWidget(
  world: World,
  Widget: WidgetKind,
  namespace: string,
  name: string,
  spec: object = {},
  metadata: object = {},
): Promise<WidgetObject> {
  const body = { apiVersion: `${Widget.group}/v1`, kind: "Widget", metadata: { namespace, name, ...metadata }, spec };
  return world.client.create(Widget, body as unknown as WidgetObject);
}

/** The key of the one widget of a virtual world. */
export const HOME_KEY = { namespace: "home", name: "w" };

/** What tests do with the one widget of a virtual world; the operator has seen a write when it returns. */
interface HomeWidget {
  createWidget(world: VirtualWorld, spec?: object, metadata?: object): Promise<void>;
  patchWidget(world: VirtualWorld, body: object): Promise<void>;
  getWidget(world: VirtualWorld): Promise<WidgetObject>;
}

/** The one widget of a virtual world, of a kind. */
export function homeWidget(Widget: WidgetKind): HomeWidget {
  return {
    async createWidget(world, spec = {}, metadata = {}) {
      await world.client.create(Widget, { metadata: { ...HOME_KEY, ...metadata }, spec } as unknown as WidgetObject);
      await world.advance(1);
    },
    async patchWidget(world, body) {
      await world.client.patch(Widget, HOME_KEY, { type: "merge", body: body as never });
      await world.advance(1);
    },
    getWidget: (world) => world.client.get<WidgetObject>(Widget, HOME_KEY),
  };
}

/** The condition of a type. */
export function conditionOf(object: { status?: { conditions?: Condition[] } }, type: string): Condition | undefined {
  return object.status?.conditions?.find((each) => each.type === type);
}

/** Waits until the operator has said of the widget's present generation whether it is Ready, and why. */
export function untilReady(
  world: World,
  Widget: WidgetKind,
  namespace: string,
  name: string,
  status: "True" | "False" = "True",
  reason?: string,
): Promise<WidgetObject> {
  return world.untilObject<WidgetObject>(Widget, { namespace, name }, (widget) => {
    const ready = conditionOf(widget, "Ready");
    return ready?.status === status && (reason === undefined || ready.reason === reason) &&
      widget.status?.observedGeneration === widget.metadata.generation;
  });
}

/** Writes the status of a widget as another manager would. */
export function applyStatusAs(
  world: World,
  Widget: WidgetKind,
  namespace: string,
  name: string,
  fieldManager: string,
  status: object,
): Promise<unknown> {
  const path = `/apis/${Widget.group}/v1/namespaces/${namespace}/${Widget.plural}/${name}/status`;
  const body = { apiVersion: `${Widget.group}/v1`, kind: "Widget", metadata: { namespace, name }, status };
  return world.client.raw(`${path}?fieldManager=${fieldManager}&force=true`, {
    method: "PATCH",
    body: body as never,
    contentType: "application/apply-patch+yaml",
  });
}

/** A condition as another manager writes it. */
export function condition(type: string): Condition {
  return { type, status: "True", reason: "Theirs", message: "", lastTransitionTime: formatTime(0) };
}
