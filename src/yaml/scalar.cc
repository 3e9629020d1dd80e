// SPDX-License-Identifier: Apache-2.0
#include "yaml/scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "base/text.h"

namespace slipway::yaml {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A cursor over the text: each taker moves on over what it accepts.
struct Scan {
  std::string_view text;
  std::size_t at = 0;

  bool end() const { return at == text.size(); }
  bool take(char c) {
    if (end() || text[at] != c) return false;
    ++at;
    return true;
  }
  bool take_any(std::string_view set) {
    if (end() || set.find(text[at]) == std::string_view::npos) return false;
    ++at;
    return true;
  }
  std::size_t take_all(std::string_view set) {
    const std::size_t start = at;
    while (take_any(set)) {
    }
    return at - start;
  }
  std::size_t digits(std::size_t max) {
    std::size_t n = 0;
    while (n < max && !end() && is_digit(text[at])) {
      ++at;
      ++n;
    }
    return n;
  }
};

constexpr std::string_view kDecimal = "0123456789";
constexpr std::string_view kDecimalGrouped = "0123456789_";

bool is_int(std::string_view text) {
  Scan scan{text};
  scan.take_any("+-");
  const std::string_view rest = text.substr(scan.at);
  const auto only = [](std::string_view digits, std::string_view set) {
    return !digits.empty() && digits.find_first_not_of(set) == std::string_view::npos;
  };
  if (only(rest, kDecimalGrouped)) return true;
  if (rest.size() < 3 || rest[0] != '0') return false;
  const std::string_view digits = rest.substr(2);
  if (rest[1] == 'b') return only(digits, "01_");
  if (rest[1] == 'o') return only(digits, "01234567_");
  if (rest[1] == 'x') return only(digits, "0123456789abcdefABCDEF_");
  return false;
}

bool is_exponent(Scan scan, bool sign_required) {
  if (!scan.take_any("eE")) return false;
  if (!scan.take_any("+-") && sign_required) return false;
  return scan.take_all(kDecimal) > 0 && scan.end();
}

bool is_float(std::string_view text) {
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return true;
  Scan scan{text};
  scan.take_any("+-");
  const std::string_view rest = text.substr(scan.at);
  if (rest == ".inf" || rest == ".Inf" || rest == ".INF") return true;
  if (!scan.end() && is_digit(text[scan.at])) {
    scan.take_all(kDecimalGrouped);
    if (scan.take('.')) {
      scan.take_all(kDecimalGrouped);
      return scan.end() || is_exponent(scan, false);
    }
    return is_exponent(scan, false);
  }
  if (!scan.take('.') || scan.take_all(kDecimalGrouped) == 0) return false;
  return scan.end() || is_exponent(scan, true);
}

// YYYY-MM-DD, or YYYY-M-D with a time.
bool is_date(std::string_view text) {
  Scan scan{text};
  if (scan.digits(4) != 4 || !scan.take('-')) return false;
  const std::size_t month = scan.digits(2);
  if (month == 0 || !scan.take('-')) return false;
  const std::size_t day = scan.digits(2);
  if (day == 0) return false;
  if (scan.end()) return month == 2 && day == 2;
  if (!scan.take_any("Tt") && scan.take_all(" \t") == 0) return false;
  if (scan.digits(2) == 0 || !scan.take(':') || scan.digits(2) != 2 || !scan.take(':') ||
      scan.digits(2) != 2)
    return false;
  if (scan.take('.')) scan.take_all(kDecimal);
  if (scan.end()) return true;
  scan.take_all(" \t");
  if (scan.take('Z')) return scan.end();
  if (!scan.take_any("+-") || scan.digits(2) == 0) return false;
  if (scan.take(':') && scan.digits(2) != 2) return false;
  return scan.end();
}

// Digits of `base` as decimal digits, schoolbook: parameters with hundreds of digits do not occur,
// correctness still matters.
std::string to_decimal(std::string_view digits, unsigned base) {
  std::vector<std::uint8_t> decimal{0};
  for (const char c : digits) {
    unsigned carry = is_digit(c) ? static_cast<unsigned>(c - '0')
                                 : static_cast<unsigned>((c | 0x20) - 'a') + 10U;
    for (std::uint8_t& digit : decimal) {
      const unsigned value = digit * base + carry;
      digit = static_cast<std::uint8_t>(value % 10);
      carry = value / 10;
    }
    while (carry > 0) {
      decimal.push_back(static_cast<std::uint8_t>(carry % 10));
      carry /= 10;
    }
  }
  std::string text;
  for (auto digit = decimal.rbegin(); digit != decimal.rend(); ++digit)
    text += static_cast<char>('0' + *digit);
  return text;
}

std::string without_underscores(std::string_view text) {
  std::string out(text);
  std::erase(out, '_');
  return out;
}

}  // namespace

PlainKind resolve_plain(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return PlainKind::kNull;
  switch (text[0]) {
    case 't':
    case 'T':
    case 'f':
    case 'F':
      if (text == "true" || text == "True" || text == "TRUE" || text == "false" ||
          text == "False" || text == "FALSE") {
        return PlainKind::kBool;
      }
      return PlainKind::kString;
    case '<': return text == "<<" ? PlainKind::kMerge : PlainKind::kString;
    default: break;
  }
  if (kDecimal.find(text[0]) == std::string_view::npos && text[0] != '+' && text[0] != '-' &&
      text[0] != '.') {
    return PlainKind::kString;
  }
  if (is_float(text)) return PlainKind::kFloat;  // before integers, as the reader's table has them
  if (text[0] != '.' && is_int(text)) return PlainKind::kInt;
  if (is_date(text)) return PlainKind::kDate;
  return PlainKind::kString;
}

std::string canonical_int(std::string_view text) {
  std::string digits = without_underscores(text);
  bool negative = false;
  if (!digits.empty() && (digits[0] == '+' || digits[0] == '-')) {
    negative = digits[0] == '-';
    digits.erase(0, 1);
  }
  unsigned base = 10;
  if (digits.size() >= 2 && digits[0] == '0' && !is_digit(digits[1])) {
    base = digits[1] == 'b' ? 2U : digits[1] == 'o' ? 8U : 16U;
    digits.erase(0, 2);
  }
  if (digits.empty()) return "";
  std::string decimal = base == 10 ? digits : to_decimal(digits, base);
  decimal.erase(0, std::min(decimal.find_first_not_of('0'), decimal.size() - 1));
  return negative && decimal != "0" ? "-" + decimal : decimal;
}

double float_of(std::string_view text) {
  const std::string digits = without_underscores(text);
  std::size_t start = 0;
  const bool negative = digits[0] == '-';
  if (digits[0] == '-' || digits[0] == '+') start = 1;
  const char first = digits.size() > start + 1 ? static_cast<char>(digits[start + 1] | 0x20) : '0';
  if (digits[start] == '.' && first == 'i') return negative ? -HUGE_VAL : HUGE_VAL;
  if (digits[start] == '.' && first == 'n') return std::nan("");
  double value = 0;
  const auto [end, fault] =
      std::from_chars(digits.data() + start, digits.data() + digits.size(), value);
  if (fault == std::errc::result_out_of_range) value = std::strtod(digits.c_str() + start, nullptr);
  (void)end;
  return negative ? -value : value;
}

std::string python_repr(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value < 0 ? "-.inf" : ".inf";
  char buffer[64];
  const auto scientific =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  const std::string text(buffer, scientific.ptr);
  const std::size_t e = text.find('e');
  const int exponent = std::atoi(text.c_str() + e + 1);
  if (exponent >= -4 && exponent < 16) {
    const auto fixed =
        std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
    std::string plain(buffer, fixed.ptr);
    if (plain.find('.') == std::string::npos) plain += ".0";
    return plain;
  }
  return text;  // std::to_chars writes at least two digits of exponent with its sign, as Python
                // does
}

}  // namespace slipway::yaml
