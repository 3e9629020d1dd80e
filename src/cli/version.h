// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace slipway::cli {

inline constexpr const char* kVersion = "0.1.0";
inline constexpr const char* kMlflowProtocol =
    "3.17.2";  // what /version answers: MLflow's client decides by it what it may call

}  // namespace slipway::cli
