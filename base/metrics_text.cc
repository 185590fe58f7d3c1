#include "base/metrics_text.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <ostream>
#include <string>
#include <string_view>

#include "base/metrics.h"

namespace kvorum::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// The exponents at which Go changes to scientific notation.
constexpr int kSmallestFixedExponent = -4;
constexpr int kSmallestLargeExponent = 6;

std::string Escape(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

std::string_view NameOf(MetricType type) {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Histogram:
      return "histogram";
    default:
      return "untyped";
  }
}

// One line. `bound` is a histogram bucket's.
void Write(std::ostream& out, const std::string& name, std::string_view suffix,
           const ClientMetric& metric, double value, const double* bound = nullptr) {
  out << name << suffix;
  char separator = '{';
  for (const ClientMetric::Label& label : metric.label) {
    out << separator << label.name << "=\"" << Escape(label.value, /*quotes=*/true) << '"';
    separator = ',';
  }
  if (bound != nullptr) {
    out << separator << "le=\"" << FormatGoFloat(*bound) << '"';
    separator = ',';
  }
  if (separator == ',') out << '}';
  out << ' ' << FormatGoFloat(value) << '\n';
}

void WriteHistogram(std::ostream& out, const std::string& name, const ClientMetric& metric) {
  const ClientMetric::Histogram& histogram = metric.histogram;
  for (const ClientMetric::Bucket& bucket : histogram.bucket) {
    Write(out, name, "_bucket", metric, static_cast<double>(bucket.cumulative_count),
          &bucket.upper_bound);
  }
  const auto count = static_cast<double>(histogram.sample_count);
  const double infinity = std::numeric_limits<double>::infinity();
  Write(out, name, "_bucket", metric, count, &infinity);
  Write(out, name, "_sum", metric, histogram.sample_sum);
  Write(out, name, "_count", metric, count);
}

}  // namespace

std::string FormatGoFloat(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[64];  // the longest is fixed and has 6 digits before or 20 behind the point
  const auto scientific = std::to_chars(text, std::end(text), value, std::chars_format::scientific);
  const std::string_view digits(text, scientific.ptr - text);
  const size_t e = digits.find('e');
  int exponent = 0;
  const char* const from = text + e + (digits[e + 1] == '+' ? 2 : 1);
  std::from_chars(from, scientific.ptr, exponent);
  if (exponent < kSmallestFixedExponent || exponent >= kSmallestLargeExponent) {
    return std::string(digits);
  }
  const auto fixed = std::to_chars(text, std::end(text), value, std::chars_format::fixed);
  return std::string(text, fixed.ptr);
}

void GoTextSerializer::Serialize(std::ostream& out,
                                 const std::vector<MetricFamily>& families) const {
  for (const MetricFamily& family : families) {
    out << "# HELP " << family.name << ' ' << Escape(family.help, /*quotes=*/false) << '\n';
    out << "# TYPE " << family.name << ' ' << NameOf(family.type) << '\n';
    for (const ClientMetric& metric : family.metric) {
      if (family.type == MetricType::Histogram) {
        WriteHistogram(out, family.name, metric);
      } else {
        const bool counts = family.type == MetricType::Counter;
        Write(out, family.name, "", metric, counts ? metric.counter.value : metric.gauge.value);
      }
    }
  }
}

}  // namespace kvorum::metrics
