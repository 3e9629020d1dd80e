// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "base/clock.h"
#include "serving/engine.h"
#include "serving/model_files.h"
#include "serving/served_version.h"
#include "storage/database.h"
#include "tracking/artifact_store.h"

namespace slipway::serving {

// How far a float may be from what training recorded, unless slipway_example.json says otherwise
// ("tolerance").
inline constexpr double kParityTolerance = 1e-5;
inline constexpr std::uint64_t kExampleBytesMax = 64ULL << 20;
// Each answer that a version has to give before it serves; without one it is not servable.
inline constexpr std::chrono::milliseconds kProbeLimit{10'000};

// Loads a version and has it answer before anybody is sent to it: its own input example where the
// artifact has one, which must succeed; else a row of zeros, which may fail (not every model takes
// zeros) and warms it up. Where the artifact has a slipway_example.json
// {"inputs": […], "outputs": […], "tolerance"?}, tensors as in the Open Inference Protocol, its
// outputs must come out. A run that ends at the bound's limit makes it unservable. Throws kNotFound
// for an unknown version, kUnavailable when the engine is not there or the bound's `stop` was asked
// for, errno_error for the disk.
std::variant<std::shared_ptr<const ServedVersion>, Unservable> load_version(
    storage::Database& database, const tracking::ArtifactStore& artifacts, Engine& engine,
    const Clock& clock, const std::string& model, std::int64_t version, const RunBound& bound);

// Whether the model does what its artifact recorded; the reason if not.
std::optional<std::string> check_servable(const ServedVersion& version, const ModelFiles& files,
                                          const Clock& clock, const RunBound& bound);

}  // namespace slipway::serving
