// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "automation/plan.h"

namespace slipway::automation {

// Fills `risk` and, where it is empty, `reason`: whose requests are answered differently, what is
// lost, which rule gets looser. A change with several is told by its first in the order of Risk.
// REQUIRES: the action is not kNoOp.
void assess_risk(Change& change);

}  // namespace slipway::automation
