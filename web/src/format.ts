// SPDX-License-Identifier: Apache-2.0
// How values are written. Numbers keep the digits that tell them apart; times are UTC.

export function number(value: unknown, digits = 5): string {
  if (typeof value === "string" && value !== "" && !Number.isNaN(Number(value)))
    value = Number(value);
  if (typeof value !== "number") return value == null ? "–" : String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return value.toLocaleString("en");
  if (Math.abs(value) >= 1e4 && Math.abs(value) < 1e9)
    return Math.round(value).toLocaleString("en").replace("-", "−");
  const text =
    Math.abs(value) >= 1e9 || (value !== 0 && Math.abs(value) < 1e-4)
      ? value.toExponential(3)
      : String(Number(value.toPrecision(digits)));
  return text.replace("-", "−");
}

// One of several numbers in a row: no groups of digits, which would read as two numbers. Our parser
// has NaN as null.
export const digits = (value: unknown) =>
  typeof value === "number"
    ? String(Number(value.toPrecision(7)))
    : value === null
      ? "NaN"
      : String(value);

// A difference: always with its sign, always four decimals, so that a column of them can be read
// downwards.
export const difference = (value: unknown) =>
  typeof value === "number" ? (value < 0 ? "−" : "+") + Math.abs(value).toFixed(4) : "–";

export const percent = (share: number) => `${number(100 * share, 3)} %`;

export function time(value: unknown): string {
  if (value == null || value === "" || value === 0 || value === "0") return "–";
  const date = new Date(
    typeof value === "number" ? value : /^\d+$/.test(String(value)) ? Number(value) : String(value),
  );
  return Number.isNaN(date.getTime())
    ? String(value)
    : date.toISOString().slice(0, 16).replace("T", " ");
}

// Two whole numbers with what they are part of.
export const share = (part: number, whole: number) =>
  whole ? `${number(part)} of ${number(whole)}` : "–";

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
// A text that is a moment as our server writes it, shorter; any other text as it is.
export const plain = (text: string) =>
  MOMENT.test(text) ? text.slice(0, 19).replace("T", " ") : text === "" ? "–" : text;

// A sentence with the midnights in it written as days.
export const days = (text: string) => text.replace(/\b(\d{4}-\d\d-\d\d)T00:00:00(?:\.0+)?Z/g, "$1");

export const day = (value: unknown) => time(value).slice(0, 10);

// Milliseconds between two moments; null while it goes on.
export const elapsed = (from: unknown, to: unknown) =>
  from && to && Number(to) >= Number(from) ? Number(to) - Number(from) : null;

export function duration(from: unknown, to: unknown): string {
  const ms = Number(to) - Number(from);
  if (!from || !to || !(ms >= 0)) return "–";
  if (ms < 1000) return `${ms} ms`;
  const s = ms / 1000;
  if (s < 90) return `${s.toFixed(1)} s`;
  return s < 5400 ? `${(s / 60).toFixed(1)} min` : `${(s / 3600).toFixed(1)} h`;
}

export function bytes(value: unknown): string {
  let size = Number(value);
  if (!Number.isFinite(size)) return "–";
  for (const unit of ["B", "kB", "MB"]) {
    if (size < 1000) return `${number(size, 3)} ${unit}`;
    size /= 1000;
  }
  return `${number(size, 3)} GB`;
}

// As one word of a shell's command line.
export const quoted = (text: string) =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`;

// A difference of two shares, in percentage points.
export const points = (value: unknown) =>
  typeof value === "number"
    ? value === 0
      ? "0"
      : (value < 0 ? "−" : "+") + String(Math.abs(Number((100 * value).toPrecision(3))))
    : "–";

// An e-value: beyond thousands only its size matters.
export const evalue = (value: number) => {
  if (!Number.isFinite(value)) return "∞";
  return value < 1e4 ? number(value, 4) : value.toExponential(2);
};

// A latency as people compare them.
export const milliseconds = (us: unknown) => `${number(Number(us) / 1000, 3)} ms`;
