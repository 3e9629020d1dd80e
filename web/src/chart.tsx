// SPDX-License-Identifier: Apache-2.0
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";

import { csv, csvName, save } from "./csv";
import { number, time } from "./format";

export interface Line {
  name: string;
  values: ArrayLike<number | null>;
  color?: "one" | "two" | "three" | "limit";
  dashed?: boolean;
  points?: boolean;
}
export interface Mark {
  x: number;
  text: string;
  plain?: boolean; // nothing to worry about
}
interface ChartProps {
  title: string;
  file: string; // what its CSV file is of
  x: ArrayLike<number>;
  lines: Line[];
  xTitle: string;
  yTitle: string;
  time?: boolean; // x are seconds since 1970
  marks?: Mark[];
  onZoom?: (range: [number, number] | undefined) => void;
  note?: string;
}

const HEIGHT = 240;
const TABLE_ROWS_MAX = 100;

// A chart that can be used without seeing it or without a mouse: the arrow keys move along the
// points and each is read out, Home and End
// jump, and the points stand in a table below (at most TABLE_ROWS_MAX of them, evenly spread).
export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const at = useSignal<number | undefined>(undefined);
  const { title, x, lines } = props;
  const xText = (index: number) => (props.time ? time(Number(x[index]) * 1000) : number(x[index]));

  const kind = lines.map((line) => `${line.name} ${line.color} ${line.dashed}`).join("\n");
  const current = useRef(props);
  current.current = props;

  useEffect(() => {
    const draw = () => {
      plot.current?.destroy();
      plot.current = place.current ? make(place.current, current) : null;
    };
    draw();
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", draw);
    const resized = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0);
      if (plot.current && width > 0 && width !== plot.current.width)
        plot.current.setSize({ width, height: HEIGHT });
    });
    if (place.current) resized.observe(place.current);
    return () => {
      dark.removeEventListener("change", draw);
      resized.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [kind, props.time]);

  // New points come into the chart that is there: a range that somebody zoomed into, and where the
  // cursor is, stay.
  const drawn = useRef(x);
  useEffect(() => {
    const self = plot.current;
    if (!self || (drawn.current === x && self.data[0].length === x.length)) return;
    drawn.current = x;
    const { min, max } = self.scales.x!,
      before = self.data[0];
    const zoomed = min! > before[0]! || max! < before[before.length - 1]!;
    self.setData(data(props), !zoomed);
    if (zoomed) self.redraw();
  }, [x, lines, props.marks]);

  const download = () =>
    save(
      csvName(props.file),
      csv(
        [props.time ? "time" : "x", ...lines.map((line) => line.name)],
        Array.from(x, (at, row) => [
          props.time ? new Date(at * 1000).toISOString() : at,
          ...lines.map((line) => line.values[row]),
        ]),
      ),
    );

  const move = (event: KeyboardEvent) => {
    const end = x.length - 1;
    const from = at.value ?? (event.key === "ArrowLeft" ? end + 1 : -1);
    const steps: Record<string, number> = {
      ArrowRight: from + 1,
      ArrowLeft: from - 1,
      Home: 0,
      End: end,
      PageDown: from + 20,
      PageUp: from - 20,
    };
    if (event.key === "Escape" && props.onZoom) props.onZoom(undefined);
    const to = steps[event.key];
    if (to === undefined || end < 0) return;
    event.preventDefault();
    at.value = Math.max(0, Math.min(end, to));
    const self = plot.current,
      line = lines.find((one) => one.values[at.value!] != null);
    if (self)
      self.setCursor({
        left: self.valToPos(Number(x[at.value]), "x"),
        top: line ? self.valToPos(Number(line.values[at.value]), "y") : 10,
      });
  };
  const spoken =
    at.value === undefined
      ? ""
      : `${props.xTitle} ${xText(at.value)}: ` +
        lines
          .filter((line) => line.values[at.value!] != null)
          .map((line) => `${line.name} ${number(line.values[at.value!])}`)
          .join(", ");
  const stride = Math.max(1, Math.ceil(x.length / TABLE_ROWS_MAX));
  const rows = Array.from({ length: Math.ceil(x.length / stride) }, (_, row) => row * stride);

  return (
    <figure>
      <figcaption>
        <span>
          <bdi>{title}</bdi>
          {props.note && <span class="quiet"> {props.note}</span>}
        </span>
        <button type="button" class="small" aria-label={`CSV of: ${title}`} onClick={download}>
          CSV
        </button>
      </figcaption>
      <div
        class="chart"
        ref={place}
        tabIndex={0}
        role="img"
        onKeyDown={move}
        aria-label={`Chart: ${title}, ${x.length} points. Arrow keys read the points; a table follows.`}
      />
      <p class="reading" role="status">
        {spoken}
      </p>
      <details>
        <summary>{title} as a table</summary>
        <div class="scroll" role="region" aria-label={`${title} as a table`} tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col" class="number">
                  {props.xTitle}
                </th>
                {lines.map((line) => (
                  <th key={line.name} scope="col" class="number">
                    {line.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row}>
                  <td class="number">{xText(row)}</td>
                  {lines.map((line) => (
                    <td key={line.name} class="number">
                      {number(line.values[row])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

const DAY_S = 86_400;
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

// Ticks of a time axis, in UTC: as fine as their distance, with what is above it where it changes.
function moments(_: uPlot, splits: number[], _axis: number, _space: number, step: number) {
  let before = "";
  return splits.map((seconds) => {
    const at = new Date(seconds * 1000),
      month = MONTHS[at.getUTCMonth()]!;
    const [fine, coarse] =
      step < DAY_S
        ? [at.toISOString().slice(11, 16), `${month} ${at.getUTCDate()}`]
        : [step < 28 * DAY_S ? `${month} ${at.getUTCDate()}` : month, `${at.getUTCFullYear()}`];
    const text = coarse === before ? fine : `${fine}\n${coarse}`;
    before = coarse;
    return text;
  });
}

const data = ({ x, lines }: ChartProps) =>
  [Array.from(x), ...lines.map((line) => Array.from(line.values))] as uPlot.AlignedData;

function make(place: HTMLElement, latest: { current: ChartProps }): uPlot {
  const { x, lines, onZoom, ...props } = latest.current;
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const axis: uPlot.Axis = {
    stroke: color("quiet"),
    grid: { stroke: color("rule"), width: 1 },
    ticks: { stroke: color("rule"), width: 1 },
    font: "12px system-ui",
    labelFont: "12px system-ui",
  };
  const options: uPlot.Options = {
    width: Math.max(200, Math.floor(place.clientWidth)),
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    scales: { x: { time: !!props.time } },
    axes: [
      {
        ...axis,
        label: props.xTitle,
        labelSize: 18,
        labelGap: 0,
        size: props.time ? 44 : 30,
        ...(props.time ? { values: moments } : {}),
      },
      {
        ...axis,
        label: props.yTitle,
        labelSize: 18,
        size: 58,
        values: (_, splits) => splits.map((value) => number(value, 4)),
      },
    ],
    legend: { live: true },
    cursor: { drag: { x: true, y: false, setScale: !onZoom } },
    series: [
      {
        label: props.xTitle,
        value: (_, value) =>
          value == null ? "–" : props.time ? time(value * 1000) : number(value),
      },
      ...lines.map((line): uPlot.Series => ({
        label: line.name,
        stroke: color(`line-${line.color ?? "one"}`),
        width: line.color === "limit" ? 1 : 1.5,
        dash: line.dashed ? [6, 4] : undefined,
        points: { show: line.points ?? x.length < 60, size: 4 },
        value: (_, value) => number(value),
      })),
    ],
    hooks: {
      draw: [
        (self) => {
          const context = self.ctx;
          context.save();
          context.font = `${11 * devicePixelRatio}px system-ui`;
          context.textAlign = "left";
          for (const mark of latest.current.marks ?? []) {
            const left = Math.round(self.valToPos(mark.x, "x", true));
            if (left < self.bbox.left || left > self.bbox.left + self.bbox.width) continue;
            context.strokeStyle = color(mark.plain ? "quiet" : "line-mark");
            context.fillStyle = color(mark.plain ? "quiet" : "ink");
            context.setLineDash(mark.plain ? [2, 3] : []);
            context.beginPath();
            context.moveTo(left, self.bbox.top);
            context.lineTo(left, self.bbox.top + self.bbox.height);
            context.stroke();
            context.fillText(mark.text, left + 3, self.bbox.top + 12 * devicePixelRatio);
          }
          context.restore();
        },
      ],
      setSelect: onZoom
        ? [
            (self) => {
              if (self.select.width < 4) return;
              latest.current.onZoom?.([
                self.posToVal(self.select.left, "x"),
                self.posToVal(self.select.left + self.select.width, "x"),
              ]);
            },
          ]
        : [],
    },
  };
  return new uPlot(options, data(latest.current), place);
}
