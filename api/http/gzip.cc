#include "api/http/gzip.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <zlib.h>

#include <algorithm>

#include "base/check.h"

namespace kvorum::api {
namespace {

constexpr int kGzipWindowBits = 15 + 16;  // 16: gzip's header instead of zlib's
constexpr int kMemoryLevel = 8;           // zlib's default
constexpr double kNotListed = -1;

// The weight that the header gives to `coding`, by its name or by "*".
double WeightOf(absl::string_view coding, absl::string_view accept_encoding) {
  double weight = kNotListed;
  for (const absl::string_view element : absl::StrSplit(accept_encoding, ',')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(element, absl::MaxSplits(';', 1));
    const absl::string_view name = absl::StripAsciiWhitespace(parts.first);
    if (name != "*" && !absl::EqualsIgnoreCase(name, coding)) continue;
    absl::string_view parameter = absl::StripAsciiWhitespace(parts.second);
    double given = 1;
    if (absl::ConsumePrefix(&parameter, "q=") && !absl::SimpleAtod(parameter, &given)) given = 0;
    weight = std::max(weight, given);
  }
  return weight;
}

}  // namespace

bool PrefersGzip(const std::string& accept_encoding) {
  const double gzip = WeightOf("gzip", accept_encoding);
  return gzip > 0 && gzip > WeightOf("identity", accept_encoding);
}

std::string Gzip(std::string_view text) {
  z_stream stream = {};
  CHECK_EQ(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindowBits, kMemoryLevel,
                        Z_DEFAULT_STRATEGY),
           Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace kvorum::api
