// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace slipway::tracking {

// True for what Python's `\w` takes: letters and digits of any script, and '_'. MLflow's rules for
// keys are written with it.
bool is_word_character(char32_t c);

}  // namespace slipway::tracking
