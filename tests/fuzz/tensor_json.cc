// SPDX-License-Identifier: Apache-2.0
// Bodies of inference requests. The first byte chooses: OIP tensors, MLflow's scoring JSON, CSV.
#include "serving/tensor_json.h"

#include <string>
#include <vector>

#include "fuzz.h"
#include "json/pull.h"

namespace slipway {
namespace {

void check(const serving::Tensor& tensor) {
  const auto elements = static_cast<std::size_t>(serving::element_count(tensor.name, tensor.shape));
  if (tensor.type == serving::DataType::kBytes) {
    fuzz::require(tensor.texts.size() == elements, "as many texts as the shape says");
  } else {
    fuzz::require(tensor.bytes.size() == elements * serving::element_bytes(tensor.type),
                  "as many bytes as the shape says");
  }
}

void read_tensors(std::string_view text) {
  std::vector<serving::Tensor> tensors;
  if (!fuzz::accepts([&] {
        json::PullReader reader(text);
        tensors = serving::read_tensors(reader);
        reader.finish();
      })) {
    return;
  }
  std::string written = "[";
  for (const serving::Tensor& tensor : tensors) {
    check(tensor);
    if (written.size() > 1) written += ',';
    serving::append_tensor(written, tensor);
    std::string nested;
    if (!tensor.shape.empty()) serving::append_nested(nested, tensor);
  }
  written += ']';
  std::vector<serving::Tensor> again;
  fuzz::require(fuzz::accepts([&] {
                  json::PullReader reader(written);
                  again = serving::read_tensors(reader);
                  reader.finish();
                }),
                "tensors that are written can be read");
  fuzz::require(serving::same_values(tensors, again), "and are the same");
}

void read_scoring(std::string_view text) {
  const std::vector<serving::TensorInfo> inputs{{"x", serving::DataType::kFp32, {-1, 2}},
                                                {"n", serving::DataType::kInt32, {-1}},
                                                {"s", serving::DataType::kBytes, {-1, 1}}};
  (void)fuzz::accepts([&] {
    const auto request = serving::read_scoring_request(text);
    std::vector<serving::Tensor> bound;
    if (const auto* frame = std::get_if<serving::Frame>(&request)) {
      bound = serving::bind_frame(*frame, {}, {inputs[0]});
    } else {
      bound = serving::bind_loose(std::get<serving::LooseTensors>(request), inputs);
    }
    for (const serving::Tensor& tensor : bound) check(tensor);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  switch (data[0]) {
    case 's': read_scoring(text); break;
    case 'c': (void)fuzz::accepts([&] { (void)serving::read_csv_frame(text); }); break;
    default: read_tensors(text);
  }
  return 0;
}

}  // namespace slipway
