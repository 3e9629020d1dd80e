// SPDX-License-Identifier: Apache-2.0
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { ApiError } from "./api";
import type { Resource } from "./resource";
import { visits } from "./route";

// The frame of a view: its heading, which takes the focus when one comes from another view, and
// the command that shows the same.
export function View({
  title,
  command,
  children,
}: {
  title: string;
  command: string;
  children: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Slipway`;
    if (visits.value) heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <main id="main">
      <h1 tabIndex={-1} ref={heading}>
        {title}
      </h1>
      {children}
      <Command text={command} />
    </main>
  );
}

export function Command({ text }: { text: string }) {
  const copied = useSignal(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    copied.value = true;
    setTimeout(() => (copied.value = false), 1_500);
  };
  return (
    <p class="command">
      <span class="quiet">The same in a terminal:</span> <code>{text}</code>{" "}
      <button type="button" onClick={copy}>
        {copied.value ? "copied" : "copy"}
      </button>
      <span class="unseen" role="status">
        {copied.value ? "command copied" : ""}
      </span>
    </p>
  );
}

// What was fetched, or why it was not.
export function Loaded<T>({
  from,
  what,
  children,
}: {
  from: Resource<T>;
  what: string;
  children: (value: T) => ComponentChildren;
}) {
  return (
    <>
      {from.error && <Problem error={from.error} />}
      {from.value !== undefined ? (
        children(from.value)
      ) : from.error ? null : (
        <p class="quiet" role="status">
          Asking for {what} …
        </p>
      )}
    </>
  );
}

export function Problem({ error }: { error: Error }) {
  return (
    <p class="problem" role="alert">
      {error.message}
      {error instanceof ApiError && error.hint && (
        <>
          {" "}
          <code>{error.hint}</code>
        </>
      )}
    </p>
  );
}

export interface Column<Row> {
  key: string;
  title: string;
  cell: (row: Row) => ComponentChildren;
  numeric?: boolean;
  whole?: boolean; // never broken into lines
  long?: boolean; // sentences: wide enough to be read, on a narrow screen too
  sort?: string; // what the server sorts by; absent: cannot be sorted
}
interface TableProps<Row> {
  caption: string;
  columns: Column<Row>[];
  rows: Row[];
  id: (row: Row) => string;
  sorted?: { by: string; descending: boolean };
  onSort?: (by: string, descending: boolean) => void;
  empty?: ComponentChildren;
}

const look = ({ numeric, whole, long }: Omit<Column<never>, "cell">) =>
  numeric ? "number" : whole ? "whole" : long ? "long" : "";

// A plain table: header cells that sort are buttons and say so, numbers stand right, wide ones
// scroll in a region of their own.
export function Table<Row>({ caption, columns, rows, id, sorted, onSort, empty }: TableProps<Row>) {
  if (!rows.length) return <div class="empty">{empty ?? <p class="quiet">None.</p>}</div>;
  const header = (column: Column<Row>) => {
    const by = column.sort;
    if (!by || !onSort)
      return (
        <th key={column.key} scope="col" class={column.numeric ? "number" : ""}>
          {column.title}
        </th>
      );
    const active = sorted?.by === by;
    const direction = active ? (sorted.descending ? "descending" : "ascending") : "none";
    return (
      <th key={column.key} scope="col" class={column.numeric ? "number" : ""} aria-sort={direction}>
        <button type="button" onClick={() => onSort(by, active ? !sorted.descending : true)}>
          {column.title}
          <span aria-hidden="true">{active ? (sorted.descending ? " ↓" : " ↑") : ""}</span>
        </button>
      </th>
    );
  };
  return (
    <div class="scroll" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>{columns.map(header)}</tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={id(row)}>
              {columns.map((column) => (
                <td key={column.key} class={look(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Facts({ of }: { of: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

// Who did it; what a rollout did leads to the rollout.
export function Actor({ of }: { of: string }) {
  const rollout = /^automation:rollout\/(\w+)$/.exec(of)?.[1];
  return rollout ? <a href={`/rollouts/${rollout}`}>automation: rollout</a> : <>{of}</>;
}

export function Hashes({ of }: { of: string[] }) {
  return (
    <>
      {of.map((hash) => (
        <a key={hash} class="hash" data-plain href={`/api/slipway/v1/evidence/${hash}`}>
          {hash.slice(0, 10)}
        </a>
      ))}
    </>
  );
}

// A state in a word with a sign before it: never by colour alone.
const SIGNS: Record<string, [string, string]> = {
  FINISHED: ["✓", "good"],
  promoted: ["✓", "good"],
  pass: ["✓", "good"],
  sighted: ["●", "good"],
  servable: ["✓", "good"],
  FAILED: ["✗", "bad"],
  KILLED: ["✗", "bad"],
  rolled_back: ["✗", "bad"],
  fail: ["✗", "warn"],
  voided: ["✗", "bad"],
  unservable: ["✗", "bad"],
  RUNNING: ["▸", "busy"],
  active: ["▸", "busy"],
  SCHEDULED: ["▹", "busy"],
  paused: ["‖", "warn"],
  blind: ["○", "warn"],
  expired: ["∅", "warn"],
  aborted: ["✗", "warn"],
  insufficient: ["?", "warn"],
};
export function State({ of }: { of: string }) {
  const [sign, look] = SIGNS[of] ?? ["·", ""];
  return (
    <span class={`state ${look}`}>
      <span aria-hidden="true">{sign} </span>
      {of.toLowerCase().replace(/_/g, " ")}
    </span>
  );
}
