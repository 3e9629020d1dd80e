// SPDX-License-Identifier: Apache-2.0
import type { JSX } from "preact";

import { digits, number, plain } from "../format";

type Members = Record<string, unknown>;

// Any JSON object as a list that reads top down; ids of runs are links, and a list of alike
// objects is a table.
export function Tree({ of }: { of: Members }) {
  return (
    <dl class="tree">
      {Object.entries(of).map(([key, value]) => (
        <div key={key}>
          <dt>{key}</dt>
          <dd>
            <Leaf name={key} of={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

const isObject = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function Leaf({ name, of }: { name: string; of: unknown }): JSX.Element {
  if (Array.isArray(of)) {
    if (of.every((one) => typeof one !== "object" || one === null))
      return <code>{of.map(item).join(", ") || "–"}</code>;
    if (of.length > 1 && of.every(isObject) && alike(of)) return <Rows name={name} of={of} />;
    return (
      <ol>
        {of.map((one, index) => (
          <li key={index}>
            <Leaf name={name} of={one} />
          </li>
        ))}
      </ol>
    );
  }
  if (isObject(of)) return Object.keys(of).length ? <Tree of={of} /> : <code>–</code>;
  if (/run_?id$|^run$/i.test(name) && typeof of === "string" && /^[0-9a-f]{32}$/.test(of))
    return <a href={`/runs/${of}`}>{of}</a>;
  if (typeof of === "string" && /^[[{]/.test(of)) {
    const inside = parsed(of);
    if (inside !== undefined) return <Leaf name={name} of={inside} />;
  }
  return <code>{bare(of)}</code>;
}

const bare = (value: unknown) =>
  value == null ? "–" : typeof value === "number" ? number(value, 6) : plain(String(value));

const item = (value: unknown) => (typeof value === "number" ? digits(value) : bare(value));

// A tag that holds JSON, as the pipeline's do; undefined for any other text.
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// Objects of the same few plain members.
const alike = (list: Members[]) => {
  const keys = Object.keys(list[0]!).join();
  return list.every(
    (one) =>
      Object.keys(one).join() === keys && Object.values(one).every((value) => !isObject(value)),
  );
};

function Rows({ name, of }: { name: string; of: Members[] }) {
  const keys = Object.keys(of[0]!);
  const look = (key: string) => (of.every((one) => typeof one[key] === "number") ? "number" : "");
  return (
    <div class="scroll" role="region" aria-label={name} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {keys.map((key) => (
              <th key={key} scope="col" class={look(key)}>
                {key}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {of.map((row, index) => (
            <tr key={index}>
              {keys.map((key) => (
                <td key={key} class={look(key)}>
                  <Leaf name={key} of={row[key]} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
