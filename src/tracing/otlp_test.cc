// SPDX-License-Identifier: Apache-2.0
#include "tracing/otlp.h"

#include <bit>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "tracing/protobuf_reader.h"
#include "tracing/python_json.h"

namespace slipway::tracing {
namespace {

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value > 0x7F; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  return out + static_cast<char>(value);
}
std::string bytes_field(unsigned number, std::string_view value) {
  return varint((number << 3U) | 2U) + varint(value.size()) + std::string(value);
}
std::string varint_field(unsigned number, std::uint64_t value) {
  return varint(number << 3U) + varint(value);
}
std::string fixed64_field(unsigned number, std::uint64_t value) {
  std::string out = varint((number << 3U) | 1U);
  for (int i = 0; i < 8; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
  return out;
}
std::string attribute(std::string_view key, std::string_view value) {
  return bytes_field(1, key) + bytes_field(2, value);
}
// A request with one span that has these fields.
std::string request(std::string_view span) {
  return bytes_field(1, bytes_field(2, bytes_field(2, span)));
}
OtlpSpan one_span(std::string_view span) {
  const auto resources = parse_otlp_protobuf(request(span));
  return resources.at(0).spans.at(0);
}
// The value of an attribute whose AnyValue has these bytes, as JSON.
std::string value_of(std::string_view any) {
  const OtlpSpan span = one_span(bytes_field(9, attribute("k", any)));
  EXPECT_EQ(span.attributes.at(0).first, "k");
  return python_json(span.attributes.at(0).second);
}
std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ProtobufReader, ReadsEveryWireType) {
  const std::string message = varint_field(1, 300) + fixed64_field(2, 0x0102030405060708) +
                              bytes_field(3, "text") + varint((4 << 3) | 5) +
                              std::string("\1\0\0\0", 4);
  ProtobufReader reader(message);
  ASSERT_TRUE(reader.next());
  EXPECT_TRUE(reader.is(1, ProtobufReader::Wire::kVarint));
  EXPECT_EQ(reader.integer(), 300U);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.integer(), 0x0102030405060708U);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.text(), "text");
  ASSERT_TRUE(reader.next());
  EXPECT_TRUE(reader.is(4, ProtobufReader::Wire::kFixed32));
  EXPECT_EQ(reader.integer(), 1U);
  EXPECT_FALSE(reader.next());
}

TEST(ProtobufReader, SkipsGroups) {
  const std::string group = varint((9 << 3) | 3) + varint_field(1, 5) + bytes_field(2, "x") +
                            varint((10 << 3) | 3) + varint((10 << 3) | 4) + varint((9 << 3) | 4);
  const std::string message = group + varint_field(1, 7);
  ProtobufReader reader(message);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.integer(), 7U);
}

TEST(ProtobufReader, RefusesWhatIsNoMessage) {
  const auto all = [](std::string_view message) {
    return refusal([&] {
      ProtobufReader reader(message);
      while (reader.next()) {
      }
    });
  };
  EXPECT_EQ(all(""), "");
  EXPECT_EQ(all("\x08"), "not a protobuf message: it ends within a number");
  EXPECT_EQ(all(std::string(11, '\xff')),
            "not a protobuf message: a number has more than ten bytes");
  EXPECT_EQ(all(bytes_field(1, "abc").substr(0, 4)),
            "not a protobuf message: a field is longer than what is there");
  EXPECT_EQ(all(std::string("\x09\1", 2)),
            "not a protobuf message: a field is longer than what is there");
  EXPECT_EQ(all(std::string("\0", 1)),
            "not a protobuf message: a field has a number that none may have");
  EXPECT_EQ(all("\x0f"), "not a protobuf message: an unknown wire type");
  EXPECT_EQ(all(std::string(102, '\x0b')), "not a protobuf message: nested too deeply");
  EXPECT_EQ(all("\x0c"), "not a protobuf message: an unknown wire type");  // a group that ends
}

TEST(ProtobufReader, KnowsUtf8) {
  EXPECT_TRUE(is_utf8("aé—🚀"));
  EXPECT_TRUE(is_utf8("\xF4\x8F\xBF\xBF"));
  for (const char* wrong : {"\x80", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                            "\xE0\x80\x80", "\xF0\x80\x80\x80", "\xE2\x82", "\xF5\x80\x80\x80"})
    EXPECT_FALSE(is_utf8(wrong)) << wrong;
}

TEST(OtlpProtobuf, ReadsEveryKindOfValue) {
  EXPECT_EQ(value_of(bytes_field(1, "é")), "\"é\"");
  EXPECT_EQ(value_of(varint_field(2, 1)), "true");
  EXPECT_EQ(value_of(varint_field(3, 5)), "5");
  EXPECT_EQ(value_of(varint_field(3, static_cast<std::uint64_t>(-5))), "-5");
  EXPECT_EQ(value_of(fixed64_field(4, std::bit_cast<std::uint64_t>(0.25))), "0.25");
  EXPECT_EQ(value_of(bytes_field(5, bytes_field(1, varint_field(3, 1)) + bytes_field(1, ""))),
            "[1, null]");
  EXPECT_EQ(value_of(bytes_field(6, bytes_field(1, attribute("a", bytes_field(1, "b"))))),
            "{\"a\": \"b\"}");
  EXPECT_EQ(value_of(bytes_field(7, std::string_view("\0x", 2))), "\"b'\\\\x00x'\"");
  EXPECT_EQ(value_of(""), "null");
  // The last kind counts; a known number with another wire type is unknown.
  EXPECT_EQ(value_of(varint_field(3, 5) + bytes_field(1, "x")), "\"x\"");
  EXPECT_EQ(value_of(varint_field(1, 5)), "null");
}

TEST(OtlpProtobuf, ReadsASpan) {
  const OtlpSpan span = one_span(
      bytes_field(1, "0123456789abcdef") + bytes_field(2, "01234567") + bytes_field(4, "76543210") +
      bytes_field(5, "name") + varint_field(6, 2) + fixed64_field(7, 10) + fixed64_field(8, 20) +
      bytes_field(11, fixed64_field(1, 15) + bytes_field(2, "event") +
                          bytes_field(3, attribute("a", varint_field(3, 1)))) +
      bytes_field(13, bytes_field(1, "t") + bytes_field(2, "s") +
                          bytes_field(4, attribute("raw", bytes_field(7, "\1")))) +
      bytes_field(15, bytes_field(2, "bad") + varint_field(3, 2)));
  EXPECT_EQ(span.trace_id, "0123456789abcdef");
  EXPECT_EQ(span.span_id, "01234567");
  EXPECT_EQ(span.parent_id, "76543210");
  EXPECT_EQ(span.name, "name");
  EXPECT_EQ(span.start_ns, 10U);
  EXPECT_EQ(span.end_ns, 20U);
  EXPECT_EQ(span.status_code, 2);
  EXPECT_EQ(span.status_message, "bad");
  ASSERT_EQ(span.events.size(), 1U);
  EXPECT_EQ(span.events[0].name, "event");
  EXPECT_EQ(span.events[0].time_ns, 15U);
  EXPECT_EQ(span.events[0].attributes, (OtlpAttributes{{"a", 1}}));
  ASSERT_EQ(span.links.size(), 1U);
  EXPECT_EQ(span.links[0].attributes, (OtlpAttributes{{"raw", "AQ=="}}));
}

TEST(OtlpProtobuf, ReadsResources) {
  const std::string resource =
      bytes_field(1, bytes_field(1, attribute("service.name", bytes_field(1, "s"))));
  const auto resources = parse_otlp_protobuf(bytes_field(1, resource) + bytes_field(1, ""));
  ASSERT_EQ(resources.size(), 2U);
  EXPECT_EQ(resources[0].attributes, (OtlpAttributes{{"service.name", "s"}}));
  EXPECT_TRUE(resources[1].spans.empty());
  EXPECT_TRUE(parse_otlp_protobuf("").empty());
}

TEST(OtlpProtobuf, RefusesWhatIsNoRequest) {
  EXPECT_EQ(refusal([] { parse_otlp_protobuf("\x0a\x05x"); }),
            "not a protobuf message: a field is longer than what is there");
  EXPECT_EQ(refusal([] { one_span(bytes_field(5, "\xff")); }),
            "not a protobuf message: a text is not UTF-8");
  std::string nested;
  for (int i = 0; i <= kOtlpDepthMax; ++i) nested = bytes_field(5, bytes_field(1, nested));
  EXPECT_EQ(refusal([&] { value_of(nested); }),
            "not an OTLP request: values are nested too deeply");
  std::string deep;
  for (int i = 0; i < kOtlpDepthMax; ++i) deep = bytes_field(5, bytes_field(1, deep));
  EXPECT_EQ(refusal([&] { value_of(deep); }), "");
}

TEST(OtlpProtobuf, HasALimitOfSpans) {
  std::string scope;
  for (std::size_t i = 0; i < kOtlpSpansMax; ++i) scope += bytes_field(2, "");
  const auto all = [](const std::string& spans) {
    return parse_otlp_protobuf(bytes_field(1, bytes_field(2, spans))).at(0).spans.size();
  };
  EXPECT_EQ(all(scope), kOtlpSpansMax);
  EXPECT_EQ(refusal([&] { all(scope + bytes_field(2, "")); }),
            "not an OTLP request: it has too many spans");
}

std::string json_request(const std::string& span) {
  return R"({"resourceSpans":[{"scopeSpans":[{"spans":[)" + span + "]}]}]}";
}
OtlpSpan json_span(const std::string& span) {
  return parse_otlp_json(json_request(span)).at(0).spans.at(0);
}
std::string json_value(const std::string& any) {
  return python_json(
      json_span(R"({"attributes":[{"key":"k","value":)" + any + "}]}").attributes.at(0).second);
}

TEST(OtlpJson, ReadsEveryKindOfValue) {
  EXPECT_EQ(json_value(R"({"stringValue":"x"})"), "\"x\"");
  EXPECT_EQ(json_value(R"({"string_value":"x"})"), "\"x\"");
  EXPECT_EQ(json_value(R"({"boolValue":false})"), "false");
  EXPECT_EQ(json_value(R"({"intValue":"7"})"), "7");
  EXPECT_EQ(json_value(R"({"intValue":-7})"), "-7");
  EXPECT_EQ(json_value(R"({"doubleValue":1})"), "1.0");
  EXPECT_EQ(json_value(R"({"doubleValue":"NaN"})"), "NaN");
  EXPECT_EQ(json_value(R"({"bytesValue":"AHg="})"), "\"b'\\\\x00x'\"");
  EXPECT_EQ(json_value(R"({"arrayValue":{"values":[{"intValue":1},{}]}})"), "[1, null]");
  EXPECT_EQ(json_value(R"({"kvlistValue":{"values":[{"key":"a"}]}})"), "{\"a\": null}");
  EXPECT_EQ(json_value("{}"), "null");
  EXPECT_EQ(json_value("null"), "null");
}

TEST(OtlpJson, ReadsASpan) {
  const OtlpSpan span = json_span(
      R"({"traceId":"00FF","spanId":"01","parentSpanId":null,"name":"n","startTimeUnixNano":"10",)"
      R"("endTimeUnixNano":20,"status":{"code":"STATUS_CODE_ERROR","message":"m"},"unknown":[],)"
      R"("events":[{"name":"e","timeUnixNano":"5"}],"links":[{"traceId":"01","spanId":"02"}]})");
  EXPECT_EQ(span.trace_id, std::string("\0\xff", 2));
  EXPECT_EQ(span.span_id, "\1");
  EXPECT_EQ(span.parent_id, "");
  EXPECT_EQ(span.start_ns, 10U);
  EXPECT_EQ(span.end_ns, 20U);
  EXPECT_EQ(span.status_code, 2);
  EXPECT_EQ(span.status_message, "m");
  EXPECT_EQ(span.events.at(0).time_ns, 5U);
  EXPECT_EQ(span.links.at(0).span_id, "\2");
}

TEST(OtlpJson, RefusesWhatIsNoRequest) {
  const auto refused = [](const std::string& text) {
    return refusal([&] { parse_otlp_json(text); });
  };
  EXPECT_NE(refused("{").find("not valid JSON"), std::string::npos);
  EXPECT_EQ(refused("[]"), "not an OTLP request: the body is no object");
  EXPECT_EQ(refused(R"({"resourceSpans":{}})"), "not an OTLP request: resourceSpans is no list");
  EXPECT_EQ(refused(R"({"resourceSpans":[1]})"),
            "not an OTLP request: resourceSpans holds something else than objects");
  EXPECT_EQ(refused(json_request(R"({"traceId":"abc"})")),
            "not an OTLP request: traceId has an odd number of digits");
  EXPECT_EQ(refused(json_request(R"({"traceId":"xy"})")),
            "not an OTLP request: traceId is not hexadecimal");
  EXPECT_EQ(refused(json_request(R"({"name":5})")), "not an OTLP request: name is no text");
  EXPECT_EQ(refused(json_request(R"({"startTimeUnixNano":"x"})")),
            "not an OTLP request: startTimeUnixNano is no integer");
  EXPECT_EQ(refused(json_request(R"({"startTimeUnixNano":-1})")),
            "not an OTLP request: startTimeUnixNano is negative");
  EXPECT_EQ(refused(json_request(R"({"attributes":[{"key":"k","value":{"bytesValue":"?"}}]})")),
            "not an OTLP request: bytesValue is not base 64");
  std::string any = "{}";
  for (int i = 0; i <= kOtlpDepthMax; ++i) any = R"({"arrayValue":{"values":[)" + any + "]}}";
  EXPECT_NE(refusal([&] { json_value(any); }), "");
}

}  // namespace
}  // namespace slipway::tracing
