// SPDX-License-Identifier: Apache-2.0
// Tables as files: RFC 4180, UTF-8, every digit, moments as the server wrote them. Names and tags
// come from any client: a text that a spreadsheet would run as a formula gets an apostrophe before
// it (OWASP, CSV injection).

export type Raw = string | number | boolean | null | undefined;

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
const formula = (value: Raw) =>
  typeof value === "string" && /^[=+\-@\t\r]/.test(value) && !NUMBER.test(value);

const field = (value: Raw) => {
  const text = (formula(value) ? "'" : "") + (value == null ? "" : String(value));
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
};

export const csv = (titles: string[], rows: Raw[][]) =>
  [titles, ...rows].map((row) => row.map(field).join(",") + "\r\n").join("");

// Hands a file to the reader, named by the view it comes from and `what` of it.
export function save(what: string, content: Blob | string) {
  const bytes =
    typeof content === "string" ? new Blob([content], { type: "text/csv;charset=utf-8" }) : content;
  const address = URL.createObjectURL(bytes);
  const link = document.createElement("a");
  link.href = address;
  link.download = what;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

export const csvName = (what: string) =>
  ["slipway", ...location.pathname.split("/"), what]
    .map((part) =>
      part
        .toLowerCase()
        .replace(/[^a-z0-9._]+/g, "-")
        .replace(/^-+|-+$/g, ""),
    )
    .filter(Boolean)
    .join("-") + ".csv";
