/**
 * Draws a captured terminal screen (`tmux capture-pane -p`) as an SVG for the README.
 *
 * ```sh
 * tmux capture-pane -p -t demo | deno run tools/draw_terminal.ts > docs/demo.svg
 * ```
 *
 * @module
 */
const COLORS: Readonly<Record<string, string>> = { "✓": "#3fb950", "◆": "#39c5cf", "↻": "#d29922", "…": "#d29922" };
const LINE_PX = 20, COLUMN_PX = 8.4, PADDING_PX = 20;

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** The SVG of a screen. */
export function draw(screen: string): string {
  const lines = screen.replace(/\s+$/, "").split("\n").map((line) =>
    line.replace(/pintle-[0-9a-f]{8,}/, "pintle-…").trimEnd()
  );
  const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * COLUMN_PX + 2 * PADDING_PX);
  const height = lines.length * LINE_PX + 2 * PADDING_PX;
  const rows = lines.map((line, index) => {
    const y = PADDING_PX + (index + 0.75) * LINE_PX, color = COLORS[line[0] ?? ""];
    const mark = color ? `<tspan fill="${color}">${line[0]}</tspan>` : "";
    return `<text x="${PADDING_PX}" y="${y}" xml:space="preserve">${mark}${
      escaped(color ? line.slice(1) : line)
    }</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>pintle demo in a terminal</title>`,
    `<rect width="100%" height="100%" rx="8" fill="#0d1117"/>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="#e6edf3">`,
    ...rows,
    `</g></svg>`,
    ``,
  ].join("\n");
}

if (import.meta.main) {
  Deno.stdout.writeSync(new TextEncoder().encode(draw(await new Response(Deno.stdin.readable).text())));
}
