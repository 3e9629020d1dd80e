// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "yaml/node.h"

namespace slipway::yaml {

// The text that DVC 3.67.1 (ruamel.yaml 0.19.1, width 80) writes for the same values, byte for
// byte: block style, mappings indented by 2, sequences not indented under their key, plain scalars
// where they read back as texts, texts with line breaks or quotes in double quotes, long scalars
// folded behind column 80, null as nothing, floats as Python's repr, `[]` and `{}` when empty, and
// `&id001` where one anchored collection is reached more than once. Ends with a line break. Other
// than there, U+0085, U+2028 and U+2029 are escaped, and a text alone is not folded. Checked
// against DVC in emit_test.cc and tests/e2e/test_dvc.py. Pure, thread-safe, O(size).
std::string emit(const Node& node);

}  // namespace slipway::yaml
