// SPDX-License-Identifier: Apache-2.0
#include "serving/onnx_engine.h"

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <functional>
#include <mutex>
#include <onnxruntime_c_api.h>
#include <thread>

#include "base/error.h"
#include "base/log.h"
#include "base/mutex.h"
#include "serving/onnx_file.h"

namespace slipway::serving {
namespace {

constexpr const char* kLibraryNames[] = {"libonnxruntime.so.1.27.0", "libonnxruntime.so.1",
                                         "libonnxruntime.so"};

// An object of the C API that releases itself.
template <typename T>
using Owned = std::unique_ptr<T, void(ORT_API_CALL*)(T*)>;

std::optional<DataType> type_of(ONNXTensorElementDataType type) {
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL: return DataType::kBool;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8: return DataType::kUint8;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16: return DataType::kUint16;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32: return DataType::kUint32;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64: return DataType::kUint64;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8: return DataType::kInt8;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16: return DataType::kInt16;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32: return DataType::kInt32;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64: return DataType::kInt64;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16: return DataType::kFp16;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT: return DataType::kFp32;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE: return DataType::kFp64;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING: return DataType::kBytes;
    default: return std::nullopt;
  }
}

ONNXTensorElementDataType element_type(DataType type) {
  switch (type) {
    case DataType::kBool: return ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL;
    case DataType::kUint8: return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8;
    case DataType::kUint16: return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16;
    case DataType::kUint32: return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32;
    case DataType::kUint64: return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64;
    case DataType::kInt8: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8;
    case DataType::kInt16: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16;
    case DataType::kInt32: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32;
    case DataType::kInt64: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
    case DataType::kFp16: return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16;
    case DataType::kFp32: return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    case DataType::kFp64: return ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE;
    case DataType::kBytes: return ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING;
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (text.size() > 500) text.resize(500);
  return text;
}

}  // namespace

std::vector<std::filesystem::path> library_places(const std::filesystem::path& executable,
                                                  const char* from_environment) {
  if (from_environment != nullptr && *from_environment != '\0') return {from_environment};
  std::vector<std::filesystem::path> places;
  const std::filesystem::path folder = executable.parent_path();
  for (const std::filesystem::path& base : {folder, folder.parent_path()}) {
    for (const char* below : {"parts/onnxruntime/lib", "lib"}) {
      for (const char* name : kLibraryNames) places.push_back(base / below / name);
    }
  }
  for (const char* name : kLibraryNames)
    places.emplace_back(name);  // dlopen searches for bare names
  return places;
}

struct OnnxEngine::State {
  explicit State(Options given) : options(std::move(given)) {}
  ~State() {
    if (env != nullptr) api->ReleaseEnv(env);
    // The library itself stays: its threads and static objects do not survive dlclose.
  }

  Options options;
  Mutex mutex;
  // Set once under the mutex, constant afterwards; whoever has a model has seen them set.
  const OrtApi* api = nullptr;
  OrtEnv* env = nullptr;
  OrtMemoryInfo* memory = nullptr;
  std::string version;

  void open() {
    const MutexLock lock(mutex);
    if (env != nullptr) return;
    void* library = nullptr;
    std::string tried;
    std::error_code fault;
    const auto places = options.library.empty()
                            ? library_places(std::filesystem::read_symlink("/proc/self/exe", fault),
                                             std::getenv("SLIPWAY_ONNXRUNTIME"))
                            : std::vector<std::filesystem::path>{options.library};
    for (const std::filesystem::path& place : places) {
      if (place.is_absolute() && !std::filesystem::exists(place, fault)) continue;
      library = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (library != nullptr) break;
      if (const char* reason = ::dlerror()) tried = reason;
    }
    if (library == nullptr) {
      throw Error(Code::kUnavailable,
                  "ONNX Runtime's library was not found" +
                      (tried.empty() ? "" : " (" + one_line(tried) + ")"),
                  "run scripts/setup, or set SLIPWAY_ONNXRUNTIME to libonnxruntime.so");
    }
    using GetBase = const OrtApiBase*(ORT_API_CALL*)();
    void* const symbol = ::dlsym(library, "OrtGetApiBase");
    GetBase get_base = nullptr;
    static_assert(sizeof get_base == sizeof symbol);
    std::memcpy(&get_base, &symbol, sizeof symbol);
    const OrtApiBase* const base = get_base != nullptr ? get_base() : nullptr;
    const OrtApi* const found = base != nullptr ? base->GetApi(ORT_API_VERSION) : nullptr;
    if (found == nullptr) {
      throw Error(Code::kUnavailable, "this ONNX Runtime is too old: API version " +
                                          std::to_string(ORT_API_VERSION) + " is needed");
    }
    api = found;
    version = base->GetVersionString();
    // Failures come back as statuses; the library's own log would only say them twice.
    OrtEnv* made = nullptr;
    check(api->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "slipway", &made), "ONNX Runtime cannot start");
    check(api->DisableTelemetryEvents(made), "ONNX Runtime cannot start");
    check(api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory),
          "ONNX Runtime cannot start");
    env = made;
  }

  // Throws for a status other than success; a wrong argument is the caller's, all else the
  // engine's.
  void check(OrtStatus* status, const std::string& what) const {
    if (status == nullptr) return;
    const Owned<OrtStatus> owned(status, api->ReleaseStatus);
    const OrtErrorCode code = api->GetErrorCode(status);
    throw Error(code == ORT_INVALID_ARGUMENT ? Code::kInvalidArgument : Code::kInternal,
                what + ": " + one_line(api->GetErrorMessage(status)));
  }
};

namespace {

// Calls `terminate` on a thread of its own once the bound is reached, unless it ends before.
class Watchdog {
 public:
  Watchdog(const RunBound& bound, std::function<void()> terminate)
      : terminate_(std::move(terminate)), thread_([this, bound] { watch(bound); }) {}
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  bool fired() {
    const std::lock_guard lock(mutex_);
    return fired_;
  }

 private:
  void watch(const RunBound& bound) {
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, bound.stop, bound.limit, [this] { return ended_; })) return;
    fired_ = true;
    terminate_();
  }

  const std::function<void()> terminate_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool ended_ = false;
  bool fired_ = false;
  std::thread thread_;
};

class OnnxModel final : public LoadedModel {
 public:
  OnnxModel(std::shared_ptr<OnnxEngine::State> state, OrtSession* session, std::string label);
  ~OnnxModel() override { api_.ReleaseSession(session_); }

  const std::vector<TensorInfo>& inputs() const override { return inputs_; }
  const std::vector<TensorInfo>& outputs() const override { return outputs_; }
  std::vector<Tensor> run(std::span<const Tensor> inputs,
                          std::span<const std::string> wanted) const override {
    return compute(inputs, wanted, nullptr);
  }
  std::vector<Tensor> run_bounded(std::span<const Tensor> inputs,
                                  std::span<const std::string> wanted,
                                  const RunBound& bound) const override;

 private:
  std::vector<Tensor> compute(std::span<const Tensor> inputs, std::span<const std::string> wanted,
                              const OrtRunOptions* options) const;
  TensorInfo info(const OrtTypeInfo* type, const std::string& name, std::string_view side) const;
  void read_infos();
  void check_input(const TensorInfo& info, const Tensor& tensor) const;
  const Tensor& input_for(const TensorInfo& info, std::span<const Tensor> inputs) const;
  void check_names(std::span<const Tensor> inputs) const;
  std::vector<std::string> output_names(std::span<const std::string> wanted) const;
  Owned<OrtValue> value_of(const Tensor& tensor) const;
  Tensor tensor_of(const OrtValue* value, const std::string& name) const;
  std::vector<std::string> texts_of(const OrtValue* value, std::size_t count) const;
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(Code::kInvalidArgument, "model " + label_ + ": " + what);
  }

  const std::shared_ptr<OnnxEngine::State> state_;
  const OrtApi& api_;
  OrtSession* const session_;
  const std::string label_;
  std::vector<TensorInfo> inputs_;
  std::vector<TensorInfo> outputs_;
};

OnnxModel::OnnxModel(std::shared_ptr<OnnxEngine::State> state, OrtSession* session,
                     std::string label)
    : state_(std::move(state)), api_(*state_->api), session_(session), label_(std::move(label)) {
  try {
    read_infos();
  } catch (const Error&) {
    api_.ReleaseSession(session_);
    throw;
  }
}

void OnnxModel::read_infos() {
  OrtAllocator* allocator = nullptr;
  state_->check(api_.GetAllocatorWithDefaultOptions(&allocator), "model " + label_);
  const auto read = [&](bool input) {
    std::size_t count = 0;
    state_->check(input ? api_.SessionGetInputCount(session_, &count)
                        : api_.SessionGetOutputCount(session_, &count),
                  "model " + label_);
    if (count > OnnxEngine::kModelTensorsMax) {
      refuse("it has " + std::to_string(count) + (input ? " inputs" : " outputs") + ", at most " +
             std::to_string(OnnxEngine::kModelTensorsMax) + " are served");
    }
    for (std::size_t i = 0; i < count; ++i) {
      char* raw_name = nullptr;
      state_->check(input ? api_.SessionGetInputName(session_, i, allocator, &raw_name)
                          : api_.SessionGetOutputName(session_, i, allocator, &raw_name),
                    "model " + label_);
      const std::string name = raw_name;
      state_->check(api_.AllocatorFree(allocator, raw_name), "model " + label_);
      OrtTypeInfo* type = nullptr;
      state_->check(input ? api_.SessionGetInputTypeInfo(session_, i, &type)
                          : api_.SessionGetOutputTypeInfo(session_, i, &type),
                    "model " + label_);
      const Owned<OrtTypeInfo> owned(type, api_.ReleaseTypeInfo);
      (input ? inputs_ : outputs_).push_back(info(type, name, input ? "input" : "output"));
    }
  };
  read(true);
  read(false);
}

TensorInfo OnnxModel::info(const OrtTypeInfo* type, const std::string& name,
                           std::string_view side) const {
  const std::string what = std::string(side) + " `" + name + "`";
  ONNXType kind = ONNX_TYPE_UNKNOWN;
  state_->check(api_.GetOnnxTypeFromTypeInfo(type, &kind), "model " + label_);
  if (kind != ONNX_TYPE_TENSOR) {
    refuse(what +
           " is not a tensor; a scikit-learn classifier needs to be exported with zipmap off");
  }
  const OrtTensorTypeAndShapeInfo* tensor = nullptr;
  state_->check(api_.CastTypeInfoToTensorInfo(type, &tensor), "model " + label_);
  ONNXTensorElementDataType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  state_->check(api_.GetTensorElementType(tensor, &element), "model " + label_);
  const std::optional<DataType> known = type_of(element);
  if (!known)
    refuse(what + " has an element type that the inference protocol does not have (" +
           std::to_string(element) + ")");
  std::size_t rank = 0;
  state_->check(api_.GetDimensionsCount(tensor, &rank), "model " + label_);
  TensorInfo result{name, *known, std::vector<std::int64_t>(rank)};
  state_->check(api_.GetDimensions(tensor, result.shape.data(), rank), "model " + label_);
  for (std::int64_t& dimension : result.shape) {
    if (dimension < 0) dimension = -1;
  }
  return result;
}

void OnnxModel::check_input(const TensorInfo& info, const Tensor& tensor) const {
  if (tensor.type != info.type) {
    refuse("input `" + info.name + "` is " + std::string(type_name(tensor.type)) +
           ", but the model takes " + std::string(type_name(info.type)));
  }
  const std::size_t have = info.type == DataType::kBytes
                               ? tensor.texts.size()
                               : tensor.bytes.size() / element_bytes(info.type);
  if (static_cast<std::size_t>(element_count(info.name, tensor.shape)) != have) {
    refuse("input `" + info.name + "` of shape " + shape_text(tensor.shape) + " holds " +
           std::to_string(have) + " elements");
  }
  for (const std::string& text : tensor.texts) {
    if (text.find('\0') == std::string::npos) continue;
    refuse("input `" + info.name + "` holds a text with a zero byte, which the engine cannot take");
  }
  bool fits = tensor.shape.size() == info.shape.size();
  for (std::size_t d = 0; fits && d < info.shape.size(); ++d)
    fits = info.shape[d] < 0 || info.shape[d] == tensor.shape[d];
  // A model that states no dimensions at all takes what its first operator takes: the engine finds
  // out.
  if (!fits && !info.shape.empty()) {
    refuse("input `" + info.name + "` has the shape " + shape_text(tensor.shape) +
           ", but the model takes " + shape_text(info.shape));
  }
}

Owned<OrtValue> OnnxModel::value_of(const Tensor& tensor) const {
  OrtValue* value = nullptr;
  const std::string what = "model " + label_ + ": input `" + tensor.name + "`";
  if (tensor.type == DataType::kBytes) {
    OrtAllocator* allocator = nullptr;
    state_->check(api_.GetAllocatorWithDefaultOptions(&allocator), what);
    state_->check(api_.CreateTensorAsOrtValue(allocator, tensor.shape.data(), tensor.shape.size(),
                                              ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, &value),
                  what);
    Owned<OrtValue> owned(value, api_.ReleaseValue);
    std::vector<const char*> texts;
    texts.reserve(tensor.texts.size());
    for (const std::string& text : tensor.texts) texts.push_back(text.c_str());
    state_->check(api_.FillStringTensor(value, texts.data(), texts.size()), what);
    return owned;
  }
  // The engine reads inputs only; its C interface has no const.
  static std::byte nothing{};
  void* const data = tensor.bytes.empty() ? &nothing : const_cast<std::byte*>(tensor.bytes.data());
  state_->check(api_.CreateTensorWithDataAsOrtValue(state_->memory, data, tensor.bytes.size(),
                                                    tensor.shape.data(), tensor.shape.size(),
                                                    element_type(tensor.type), &value),
                what);
  return {value, api_.ReleaseValue};
}

std::vector<std::string> OnnxModel::texts_of(const OrtValue* value, std::size_t count) const {
  std::size_t total = 0;
  state_->check(api_.GetStringTensorDataLength(value, &total), "model " + label_);
  std::string all(total, '\0');
  std::vector<std::size_t> starts(count);
  state_->check(api_.GetStringTensorContent(value, all.data(), total, starts.data(), count),
                "model " + label_);
  std::vector<std::string> texts(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t end = i + 1 < count ? starts[i + 1] : total;
    texts[i] = all.substr(starts[i], end - starts[i]);
  }
  return texts;
}

Tensor OnnxModel::tensor_of(const OrtValue* value, const std::string& name) const {
  OrtTensorTypeAndShapeInfo* raw = nullptr;
  state_->check(api_.GetTensorTypeAndShape(value, &raw), "model " + label_);
  const Owned<OrtTensorTypeAndShapeInfo> facts(raw, api_.ReleaseTensorTypeAndShapeInfo);
  ONNXTensorElementDataType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  state_->check(api_.GetTensorElementType(raw, &element), "model " + label_);
  std::size_t rank = 0;
  state_->check(api_.GetDimensionsCount(raw, &rank), "model " + label_);
  Tensor tensor;
  tensor.name = name;
  tensor.shape.resize(rank);
  state_->check(api_.GetDimensions(raw, tensor.shape.data(), rank), "model " + label_);
  std::size_t count = 0;
  state_->check(api_.GetTensorShapeElementCount(raw, &count), "model " + label_);
  const std::optional<DataType> type = type_of(element);
  if (!type)
    throw Error(Code::kInternal, "model " + label_ + ": output `" + name +
                                     "` came with another element type than promised");
  tensor.type = *type;
  if (tensor.type == DataType::kBytes) {
    tensor.texts = texts_of(value, count);
    return tensor;
  }
  tensor.bytes.resize(count * element_bytes(tensor.type));
  void* data = nullptr;
  state_->check(api_.GetTensorMutableData(const_cast<OrtValue*>(value), &data), "model " + label_);
  if (!tensor.bytes.empty()) std::memcpy(tensor.bytes.data(), data, tensor.bytes.size());
  return tensor;
}

std::vector<Tensor> OnnxModel::run_bounded(std::span<const Tensor> inputs,
                                           std::span<const std::string> wanted,
                                           const RunBound& bound) const {
  OrtRunOptions* raw = nullptr;
  state_->check(api_.CreateRunOptions(&raw), "model " + label_);
  const Owned<OrtRunOptions> options(raw, api_.ReleaseRunOptions);
  Watchdog watchdog(bound, [this, raw] {
    if (OrtStatus* const status = api_.RunOptionsSetTerminate(raw)) api_.ReleaseStatus(status);
  });
  try {
    return compute(inputs, wanted, raw);
  } catch (const Error&) {
    if (!watchdog.fired()) throw;
    if (bound.stop.stop_requested())
      throw Error(Code::kUnavailable, "model " + label_ + ": the run was given up, as asked");
    throw Error(Code::kDeadlineExceeded, "model " + label_ + ": no answer after " +
                                             std::to_string(bound.limit.count()) + " ms");
  }
}

// The one tensor given for an input of the model, checked.
const Tensor& OnnxModel::input_for(const TensorInfo& info, std::span<const Tensor> inputs) const {
  const Tensor* given = nullptr;
  for (const Tensor& tensor : inputs) {
    if (tensor.name != info.name) continue;
    if (given != nullptr) refuse("input `" + info.name + "` came twice");
    given = &tensor;
  }
  if (given == nullptr) refuse("input `" + info.name + "` is missing");
  check_input(info, *given);
  return *given;
}

void OnnxModel::check_names(std::span<const Tensor> inputs) const {
  for (const Tensor& tensor : inputs) {
    const bool known = std::any_of(inputs_.begin(), inputs_.end(), [&](const TensorInfo& info) {
      return info.name == tensor.name;
    });
    if (!known) refuse("it has no input `" + tensor.name + "`");
  }
}

// Those asked for; all that the model has when none is.
std::vector<std::string> OnnxModel::output_names(std::span<const std::string> wanted) const {
  std::vector<std::string> names(wanted.begin(), wanted.end());
  if (names.empty()) {
    names.reserve(outputs_.size());
    for (const TensorInfo& info : outputs_) names.push_back(info.name);
  }
  for (const std::string& name : names) {
    const bool known = std::any_of(outputs_.begin(), outputs_.end(),
                                   [&](const TensorInfo& info) { return info.name == name; });
    if (!known) refuse("it has no output `" + name + "`");
  }
  return names;
}

std::vector<Tensor> OnnxModel::compute(std::span<const Tensor> inputs,
                                       std::span<const std::string> wanted,
                                       const OrtRunOptions* options) const {
  std::vector<const char*> input_texts;
  std::vector<Owned<OrtValue>> owned;
  std::vector<const OrtValue*> values;
  input_texts.reserve(inputs_.size());
  owned.reserve(inputs_.size());
  values.reserve(inputs_.size());
  for (const TensorInfo& info : inputs_) {
    owned.push_back(value_of(input_for(info, inputs)));
    input_texts.push_back(info.name.c_str());
    values.push_back(owned.back().get());
  }
  check_names(inputs);
  const std::vector<std::string> names = output_names(wanted);
  std::vector<const char*> output_texts;
  output_texts.reserve(names.size());
  for (const std::string& name : names) output_texts.push_back(name.c_str());
  std::vector<OrtValue*> results(names.size(), nullptr);
  OrtStatus* const status =
      api_.Run(session_, options, input_texts.data(), values.data(), values.size(),
               output_texts.data(), output_texts.size(), results.data());
  std::vector<Owned<OrtValue>> owned_results;
  owned_results.reserve(results.size());
  for (OrtValue* result : results) owned_results.emplace_back(result, api_.ReleaseValue);
  state_->check(status, "model " + label_ + " failed");
  std::vector<Tensor> outputs;
  outputs.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) outputs.push_back(tensor_of(results[i], names[i]));
  return outputs;
}

}  // namespace

OnnxEngine::OnnxEngine(Options options) : state_(std::make_shared<State>(std::move(options))) {
  // Releases from 1.29 on send usage data unless told otherwise before their first call.
  ::setenv("ORT_DISABLE_TELEMETRY", "1", 1);
}

OnnxEngine::~OnnxEngine() = default;

std::shared_ptr<const LoadedModel> OnnxEngine::load(const std::filesystem::path& file,
                                                    const std::string& label) {
  try {
    check_onnx_file(file);
  } catch (const Error& error) {
    throw Error(error.code(), "model " + label + ": " + error.what(), error.hint());
  }
  state_->open();
  const OrtApi& api = *state_->api;
  const std::string what = "model " + label + " cannot be loaded";
  OrtSessionOptions* raw = nullptr;
  state_->check(api.CreateSessionOptions(&raw), what);
  const Owned<OrtSessionOptions> options(raw, api.ReleaseSessionOptions);
  state_->check(api.SetIntraOpNumThreads(raw, 1), what);
  state_->check(api.SetInterOpNumThreads(raw, 1), what);
  state_->check(api.SetSessionExecutionMode(raw, ORT_SEQUENTIAL), what);
  state_->check(api.SetSessionGraphOptimizationLevel(raw, ORT_ENABLE_ALL), what);
  state_->check(api.AddSessionConfigEntry(raw, "session.intra_op.allow_spinning", "0"), what);
  // Batches come in any size: a plan for one of them is of no use, and an arena would keep the
  // largest for ever.
  state_->check(api.DisableMemPattern(raw), what);
  state_->check(api.DisableCpuMemArena(raw), what);
  OrtSession* session = nullptr;
  OrtStatus* const status = api.CreateSession(state_->env, file.c_str(), raw, &session);
  if (status != nullptr) {
    const Owned<OrtStatus> owned(status, api.ReleaseStatus);
    throw Error(Code::kInvalidArgument, what + ": " + one_line(api.GetErrorMessage(status)));
  }
  return std::make_shared<OnnxModel>(state_, session, label);
}

std::string OnnxEngine::name() {
  state_->open();
  return "onnxruntime " + state_->version;
}

}  // namespace slipway::serving
