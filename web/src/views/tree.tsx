// SPDX-License-Identifier: Apache-2.0
import type { JSX } from "preact";

import { number } from "../format";

// Any JSON object as a list that reads top down; ids of runs are links.
export function Tree({ of }: { of: Record<string, unknown> }) {
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

function Leaf({ name, of }: { name: string; of: unknown }): JSX.Element {
  if (Array.isArray(of)) {
    if (of.every((one) => typeof one !== "object" || one === null))
      return (
        <code>
          {of.map((one) => (typeof one === "number" ? number(one) : String(one))).join(", ")}
        </code>
      );
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
  if (typeof of === "object" && of !== null) return <Tree of={of as Record<string, unknown>} />;
  if (/run_?id$|^run$/.test(name) && typeof of === "string" && /^[0-9a-f]{32}$/.test(of))
    return <a href={`/runs/${of}`}>{of}</a>;
  return <code>{typeof of === "number" ? number(of, 8) : String(of)}</code>;
}
