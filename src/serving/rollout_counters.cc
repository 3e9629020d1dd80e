// SPDX-License-Identifier: Apache-2.0
#include "serving/rollout.h"

namespace slipway::serving {

std::string_view arm_name(Arm arm) { return arm == Arm::kChampion ? "champion" : "challenger"; }

std::string_view loss_name(Loss loss) {
  switch (loss) {
    case Loss::kError: return "error";
    case Loss::kSlow: return "slow";
    case Loss::kNan: return "nan";
  }
  return "";
}

void StepCounters::add(Arm arm, bool error, bool slow, bool nan, std::int64_t times) {
  const auto count = [&](Loss loss, bool bad) {
    Cell& cell = at(loss, arm);
    (bad ? cell.bad : cell.good) += times;
  };
  count(Loss::kError, error);
  count(Loss::kSlow, slow);
  count(Loss::kNan, nan);
}

json::Object to_json(const StepCounters& counters) {
  json::Object losses;
  for (const Loss loss : kAllLosses) {
    json::Object arms;
    for (const Arm arm : {Arm::kChampion, Arm::kChallenger}) {
      const StepCounters::Cell& cell = counters.at(loss, arm);
      arms.set(arm_name(arm), json::Object{{"bad", cell.bad}, {"good", cell.good}});
    }
    losses.set(loss_name(loss), std::move(arms));
  }
  return losses;
}

}  // namespace slipway::serving
