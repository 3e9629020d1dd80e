// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

namespace slipway {

// What a mistyped word was probably meant to be: the entry of `known` with the smallest edit
// distance to it, the first of equals; "" when even that one is further than a third of the word's
// length (at least 1). A byte that is wrong, missing or too many counts one, and so do two
// neighbours that were swapped, none of them edited twice (optimal string alignment: Damerau, CACM
// 7(3), 1964). The result views `known`. Pure; O(length of word · bytes in known).
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace slipway
