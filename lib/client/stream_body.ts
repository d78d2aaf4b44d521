/**
 * `source`, telling `onEnd` once when it has ended: `completed` where the server ended it, false where it failed or was
 * cancelled. Nothing is read ahead.
 */
export function endingBody(
  source: ReadableStream<Uint8Array<ArrayBuffer>>,
  onEnd: (completed: boolean) => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = source.getReader();
  let ended = false;
  const end = (completed: boolean) => {
    if (ended) return;
    ended = true;
    onEnd(completed);
  };
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        end(true);
        controller.close();
      } catch (error) {
        end(false);
        controller.error(error);
      }
    },
    async cancel(reason) {
      end(false);
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
