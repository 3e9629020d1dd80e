// SPDX-License-Identifier: Apache-2.0
// Desired state: objects or an Error; normalising is idempotent, and survives the way to the
// server.
#include "automation/slipway_yaml.h"

#include <algorithm>
#include <vector>

#include "automation/object.h"
#include "automation/spec.h"
#include "fuzz.h"

namespace slipway {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  if (std::count(text.begin(), text.end(), '*') > 8) return 0;  // aliases multiply: slow, not new
  std::vector<automation::Declared> objects;
  if (!fuzz::accepts([&] { objects = automation::read_objects(text, "slipway.yaml"); })) return 0;
  for (const automation::Declared& object : objects) {
    const automation::Kind* kind = automation::find_kind(object.kind);
    fuzz::require(kind != nullptr, "an object that is read has a kind");
    automation::Declared sent;
    if (!fuzz::accepts([&] {
          sent = automation::declared_from_json(
              json::parse(json::write(json::Value(automation::to_json(object)))));
        })) {
      continue;  // infinities and NaN have no JSON
    }
    json::Object once;
    if (!fuzz::accepts([&] { once = automation::normalise(*kind, sent.name, sent.spec); }))
      continue;
    json::Object twice;
    fuzz::require(fuzz::accepts([&] { twice = automation::normalise(*kind, sent.name, once); }),
                  "what is normal stays allowed");
    fuzz::require(once == twice, "normalising twice changes nothing");
    (void)automation::references(*kind, once);
  }
  return 0;
}

}  // namespace slipway
