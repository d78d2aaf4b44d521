/**
 * `handling`: decides — which cause an object's state asks for, how a handler ended, when a timer ticks, whether a key runs
 * hot. It never does I/O: everything is a function of data, time comes as an argument. The controller room calls it.
 *
 * @module
 */
export * from "./cause.ts";
export * from "./execution.ts";
export * from "./hot_loop.ts";
export * from "./outcome.ts";
export * from "./timer_schedule.ts";
