#include "wal/segment.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <charconv>

#include "base/log.h"

namespace kvorum::wal {
namespace {

constexpr std::string_view kSuffix = ".wal";
constexpr size_t kHexDigits = 16;

bool ParseHex(std::string_view text, uint64_t* value) {
  const auto [end, error] = std::from_chars(text.begin(), text.end(), *value, 16);
  return error == std::errc() && end == text.end();
}

}  // namespace

std::string SegmentName::ToString() const {
  return absl::StrFormat("%016x-%016x%s", seq, first_index.value(), kSuffix);
}

std::optional<SegmentName> SegmentName::Parse(std::string_view name) {
  if (name.size() != 2 * kHexDigits + 1 + kSuffix.size() || name[kHexDigits] != '-' ||
      !name.ends_with(kSuffix)) {
    return std::nullopt;
  }
  SegmentName parsed;
  uint64_t index = 0;
  if (!ParseHex(name.substr(0, kHexDigits), &parsed.seq) ||
      !ParseHex(name.substr(kHexDigits + 1, kHexDigits), &index)) {
    return std::nullopt;
  }
  parsed.first_index = Index(index);
  return parsed;
}

StatusOr<std::vector<SegmentName>> ListSegments(Env& env, const std::string& dir) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, env.List(dir));
  std::vector<SegmentName> segments;
  for (const std::string& name : names) {
    if (const auto segment = SegmentName::Parse(name)) {
      segments.push_back(*segment);
    } else if (!name.ends_with(".tmp")) {  // those are the pipeline's
      LOG_WARN("ignored file in WAL directory", {"path", name});
    }
  }
  if (segments.empty()) return absl::NotFoundError("wal: file not found");
  std::sort(segments.begin(), segments.end(),
            [](const SegmentName& a, const SegmentName& b) { return a.seq < b.seq; });
  return segments;
}

StatusOr<std::vector<SegmentName>> SelectSegments(std::vector<SegmentName> all, Index start) {
  // From the back: overwritten entries may make an older segment's index the higher one.
  size_t first = all.size();
  while (first > 0 && all[first - 1].first_index > start) --first;
  if (first == 0) {
    return absl::NotFoundError(absl::StrFormat(
        "wal: file not found which matches the snapshot index '%d'", start.value()));
  }
  all.erase(all.begin(), all.begin() + static_cast<ptrdiff_t>(first - 1));
  for (size_t i = 1; i < all.size(); ++i) {
    if (all[i].seq != all[i - 1].seq + 1) {
      return absl::DataLossError(absl::StrFormat(
          "wal: file sequence numbers (starting from %d) do not increase continuously", first - 1));
    }
  }
  return all;
}

StatusOr<std::vector<Segment>> OpenSegments(Env& env, const std::string& dir,
                                            const std::vector<SegmentName>& names,
                                            SegmentAccess access) {
  const bool locked = access == SegmentAccess::kWriteLocked;
  std::vector<Segment> segments;
  for (const SegmentName& name : names) {
    const std::string path = JoinPath(dir, name.ToString());
    ASSIGN_OR_RETURN(auto file, env.Open(path, locked ? OpenMode::kReadWrite : OpenMode::kRead));
    if (locked) RETURN_IF_ERROR(file->TryLock());
    segments.push_back({.name = name, .file = std::move(file)});
  }
  return segments;
}

StatusOr<std::vector<DecoderInput>> DecoderInputs(const std::vector<Segment>& segments) {
  std::vector<DecoderInput> inputs;
  for (const Segment& segment : segments) {
    ASSIGN_OR_RETURN(const uint64_t size, segment.file->Size());
    inputs.push_back({.name = segment.name.ToString(), .file = segment.file.get(), .size = size});
  }
  return inputs;
}

std::string WithoutTrailingSlashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::string ParentDir(const std::string& path) {
  const std::string clean = WithoutTrailingSlashes(path);
  const size_t slash = clean.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : clean.substr(0, slash);
}

}  // namespace kvorum::wal
