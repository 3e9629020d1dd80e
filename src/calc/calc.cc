// SPDX-License-Identifier: Apache-2.0
#include "calc/calc.h"

#include <algorithm>

#include "base/error.h"
#include "calc/table.h"

namespace slipway::calc {

std::vector<std::string> names() {
  std::vector<std::string> names;
  for (const Entry& entry : table()) names.push_back(entry.name);
  return names;
}

json::Value run(std::string_view name, const json::Value& input) {
  const auto entry = std::ranges::lower_bound(table(), name, {}, &Entry::name);
  if (entry == table().end() || entry->name != name) {
    throw Error(Code::kNotFound, "`" + std::string(name) + "` is not a statistic",
                "slipway stats list");
  }
  return entry->compute(Input(entry->input, input)).done();
}

json::Value list_json() {
  json::Array list;
  for (const Entry& entry : table()) {
    list.emplace_back(json::Object{
        {"name", entry.name}, {"summary", entry.summary}, {"input", schema_json(entry.input)}});
  }
  return list;
}

}  // namespace slipway::calc
