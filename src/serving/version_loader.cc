// SPDX-License-Identifier: Apache-2.0
#include "serving/version_loader.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "json/pull.h"
#include "serving/tensor_json.h"

namespace slipway::serving {
namespace {

// Zeros in the model's own shapes, one row.
std::vector<Tensor> one_row_of_zeros(const LoadedModel& model) {
  std::vector<Tensor> inputs;
  for (const TensorInfo& info : model.inputs()) {
    std::vector<std::int64_t> shape = info.shape;
    for (std::int64_t& dimension : shape) dimension = dimension < 0 ? 1 : dimension;
    inputs.push_back(zeros(info.name, info.type, std::move(shape)));
  }
  return inputs;
}

// No answer in time, or nobody waits for it any more: says nothing about what the artifact claims.
void pass_on_end(const Error& error) {
  if (error.code() == Code::kDeadlineExceeded || error.code() == Code::kUnavailable) throw error;
}

std::optional<std::string> check_example(const ServedVersion& version,
                                         const std::filesystem::path& file, const RunBound& bound) {
  try {
    const auto request = read_scoring_request(read_file(file, kExampleBytesMax));
    const auto* frame = std::get_if<Frame>(&request);
    version.loaded->run_bounded(
        frame != nullptr ? bind_frame(*frame, version.signature, version.loaded->inputs())
                         : bind_loose(std::get<LooseTensors>(request), version.loaded->inputs()),
        {}, bound);
    return std::nullopt;
  } catch (const Error& error) {
    pass_on_end(error);
    return std::string("it does not answer its own input example: ") + error.what();
  }
}

std::optional<std::string> check_parity(const ServedVersion& version,
                                        const std::filesystem::path& file, const RunBound& bound) {
  try {
    const std::string text = read_file(file, kExampleBytesMax);
    json::PullReader reader(text);
    std::vector<Tensor> inputs;
    std::vector<Tensor> expected;
    double tolerance = kParityTolerance;
    reader.enter_object();
    for (std::string_view key; reader.next_field(key);) {
      if (key == "inputs")
        inputs = read_tensors(reader);
      else if (key == "outputs")
        expected = read_tensors(reader);
      else if (key == "tolerance")
        tolerance = reader.number();
    }
    reader.finish();
    std::vector<std::string> wanted;
    wanted.reserve(expected.size());
    for (const Tensor& tensor : expected) wanted.push_back(tensor.name);
    const std::vector<Tensor> outputs = version.loaded->run_bounded(inputs, wanted, bound);
    const double difference = largest_difference(outputs, expected);
    if (difference <= tolerance) return std::nullopt;
    return "it does not give the outputs that training recorded (slipway_example.json): they "
           "differ by up to " +
           std::to_string(difference) + ", allowed are " + std::to_string(tolerance);
  } catch (const Error& error) {
    pass_on_end(error);
    return std::string("its slipway_example.json cannot be checked: ") + error.what();
  }
}

void measure(const ServedVersion& version, const Clock& clock, const RunBound& bound) {
  try {
    const std::vector<Tensor> inputs = one_row_of_zeros(*version.loaded);
    // The first call allocates and is not typical.
    version.loaded->run_bounded(inputs, {}, bound);
    const std::int64_t started_ns = clock.ticks_ns();
    version.loaded->run_bounded(inputs, {}, bound);
    version.observe_cost(1, static_cast<double>(clock.ticks_ns() - started_ns) / 1e3);
  } catch (const Error& error) {
    pass_on_end(error);
    log::info("a model does not take zeros",
              {{"model", version.model + "/" + std::to_string(version.version)},
               {"reason", error.what()}});
  }
}

std::string seconds_text(std::chrono::milliseconds time) {
  const auto ms = time.count();
  return ms % 1'000 == 0 ? std::to_string(ms / 1'000) + " s" : std::to_string(ms) + " ms";
}

}  // namespace

std::optional<std::string> check_servable(const ServedVersion& version, const ModelFiles& files,
                                          const Clock& clock, const RunBound& bound) {
  try {
    if (!files.input_example.empty()) {
      if (auto reason = check_example(version, files.input_example, bound)) return reason;
    }
    if (!files.parity_example.empty()) {
      if (auto reason = check_parity(version, files.parity_example, bound)) return reason;
    }
    measure(version, clock, bound);
  } catch (const Error& error) {
    if (error.code() != Code::kDeadlineExceeded) throw;
    return "it does not answer within " + seconds_text(bound.limit);
  }
  return std::nullopt;
}

std::variant<std::shared_ptr<const ServedVersion>, Unservable> load_version(
    storage::Database& database, const tracking::ArtifactStore& artifacts, Engine& engine,
    const Clock& clock, const std::string& model, std::int64_t version, const RunBound& bound) {
  std::optional<std::variant<ModelFiles, Unservable>> found;
  database.read([&](storage::Session& session) {
    found = find_model_files(session, artifacts, model, version);
  });
  if (auto* unservable = std::get_if<Unservable>(&*found)) return *unservable;
  const ModelFiles& files = std::get<ModelFiles>(*found);
  auto served = std::make_shared<ServedVersion>();
  served->model = model;
  served->version = version;
  served->run_id = files.run_id;
  served->registry_key = files.registry_key;
  served->signature = files.signature;
  try {
    served->loaded = engine.load(files.model_file, model + "/" + std::to_string(version));
  } catch (const Error& error) {
    if (error.code() != Code::kInvalidArgument) throw;
    return Unservable{error.what()};
  }
  served->engine = engine.name();
  served->loaded_at = clock.now();
  if (auto reason = check_servable(*served, files, clock, bound)) return Unservable{*reason};
  return std::shared_ptr<const ServedVersion>(std::move(served));
}

}  // namespace slipway::serving
