// SPDX-License-Identifier: Apache-2.0
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

import { ApiError, away, locked } from "./api";
import { type Raw, csv, csvName, save } from "./csv";
import { number, time } from "./format";
import type { Resource } from "./resource";
import { visits } from "./route";

// The frame of a view: its heading, which takes the focus when one comes from another view, and
// the command that shows the same. A `name` was given by somebody, in whatever script.
export function View({
  title,
  name = "",
  command,
  children,
}: {
  title: string;
  name?: string;
  command: string;
  children: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title}${name && " " + name} · Slipway`;
  }, [title, name]);
  useEffect(() => {
    if (visits.value) heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <main id="main">
      <h1 tabIndex={-1} ref={heading}>
        {title}
        {name && (
          <>
            {" "}
            <bdi>{name}</bdi>
          </>
        )}
      </h1>
      {children}
      <p class="command">
        <span class="quiet">The same in a terminal:</span> <Command text={command} />
      </p>
    </main>
  );
}

// A command with the button that copies it.
export function Command({ text }: { text: string }) {
  const copied = useSignal(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    copied.value = true;
    setTimeout(() => (copied.value = false), 1_500);
  };
  return (
    <span class="copyable">
      <code>{text}</code>{" "}
      <button type="button" class="small" onClick={copy}>
        {copied.value ? "copied" : "copy"}
      </button>
      <span class="unseen" role="status">
        {copied.value ? "command copied" : ""}
      </span>
    </span>
  );
}

// Something that stands out of the ordinary: what, why, who and until when, and the command that
// ends it.
export function Banner({
  title,
  command,
  children,
}: {
  title: string;
  command?: string;
  children: ComponentChildren;
}) {
  const id = useId();
  return (
    <section class="banner" aria-labelledby={id}>
      <h2 id={id}>
        <span aria-hidden="true">‖ </span>
        {title}
      </h2>
      <p>{children}</p>
      {command && (
        <p>
          End it: <Command text={command} />
        </p>
      )}
    </section>
  );
}

// A name that somebody gave: any script, any length, never markup.
export const Name = ({ of }: { of: string }) => <bdi class="name">{of}</bdi>;

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
  const error = elsewhere(from.error) ? undefined : from.error;
  return (
    <>
      {error && <Problem error={error} />}
      {from.value !== undefined ? (
        children(from.value)
      ) : error ? null : (
        <p class="quiet" role="status">
          {from.error ? "Waiting for" : "Asking for"} {what} …
        </p>
      )}
    </>
  );
}

// Said once for the whole page, by its bar or its question for a token.
const elsewhere = (error: Error | undefined) =>
  error instanceof ApiError &&
  ((error.status === 0 && away.value !== undefined) ||
    (error.status === 401 && locked.value !== ""));

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
  key: string; // also its name in a CSV file
  title: string;
  raw: (row: Row) => Raw; // as a CSV file has it: all digits, no units
  cell?: (row: Row) => ComponentChildren; // as the page has it; absent: `raw`
  numeric?: boolean;
  whole?: boolean; // never broken into lines
  long?: boolean; // sentences: a line of their own on a narrow screen
  unseen?: boolean; // in the file alone
  sort?: string; // what the server sorts by; absent: cannot be sorted
}
// A column of times, as the page shows them; the file has them whole.
export function timeColumn<Row>(key: string, title: string, raw: (row: Row) => Raw): Column<Row> {
  return { key, title, whole: true, raw, cell: (row) => time(raw(row)) };
}

interface TableProps<Row> {
  caption: string;
  columns: Column<Row>[];
  rows: Row[];
  id: (row: Row) => string;
  file: string; // what its CSV file is of
  all?: () => Promise<Row[]>; // for the file, if there are more rows than are shown
  sorted?: { by: string; descending: boolean };
  onSort?: (by: string, descending: boolean) => void;
  empty?: ComponentChildren;
}

const look = ({ numeric, whole, long }: Omit<Column<never>, "cell" | "raw">) =>
  numeric ? "number" : whole ? "whole" : long ? "long" : "";

// A plain table: header cells that sort are buttons and say so, numbers stand right, wide ones
// scroll in a region of their own, those with sentences become a list of rows on a narrow screen,
// and each can be had as a file.
export function Table<Row>(props: TableProps<Row>) {
  const { caption, rows, id, sorted, onSort, empty } = props;
  const columns = props.columns.filter((column) => !column.unseen);
  if (!rows.length) return <div class="empty">{empty ?? <p class="quiet">None.</p>}</div>;
  const header = (column: Column<Row>) => {
    const by = column.sort;
    if (!by || !onSort)
      return (
        <th key={column.key} scope="col" role="columnheader" class={look(column)}>
          {column.title}
        </th>
      );
    const active = sorted?.by === by;
    const direction = active ? (sorted.descending ? "descending" : "ascending") : "none";
    return (
      <th
        key={column.key}
        scope="col"
        role="columnheader"
        class={look(column)}
        aria-sort={direction}
      >
        <button type="button" onClick={() => onSort(by, active ? !sorted.descending : true)}>
          {column.title}
          <span aria-hidden="true">{active ? (sorted.descending ? " ↓" : " ↑") : ""}</span>
        </button>
      </th>
    );
  };
  const shown = (column: Column<Row>, row: Row) => {
    if (column.cell) return column.cell(row);
    const value = column.raw(row);
    return column.numeric ? number(value) : value == null ? "" : String(value);
  };
  const sentences = columns.some((column) => column.long);
  return (
    <div class="table">
      <p class="tablehead">
        <span>{caption}</span>
        <Csv {...props} />
      </p>
      <div class="scroll" role="region" aria-label={caption} tabIndex={0}>
        <table aria-label={caption} class={sentences ? "told" : ""} role="table">
          <thead role="rowgroup">
            <tr role="row">{columns.map(header)}</tr>
          </thead>
          <tbody role="rowgroup">
            {rows.map((row) => (
              <tr key={id(row)} role="row">
                {columns.map((column) => (
                  <td key={column.key} role="cell" class={look(column)} data-title={column.title}>
                    {shown(column, row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function Csv<Row>({ caption, columns, rows, all, file }: TableProps<Row>) {
  const state = useSignal("");
  const download = async () => {
    state.value = all ? "asking …" : "";
    try {
      const list = all ? await all() : rows;
      save(
        csvName(file),
        csv(
          columns.map((column) => column.key),
          list.map((row) => columns.map((column) => column.raw(row))),
        ),
      );
      state.value = "";
    } catch (error) {
      state.value = (error as Error).message;
    }
  };
  return (
    <>
      <span role="status">{state.value}</span>
      <button type="button" class="small" aria-label={`CSV of: ${caption}`} onClick={download}>
        CSV
      </button>
    </>
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
        <a key={hash} class="hash" href={`/evidence/${hash}`}>
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
