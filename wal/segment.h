#pragma once
// Segments: the names of a log's files, which of them a start needs, and opening them.
//
// A name is "<seq>-<index>.wal", both 16 hex digits: seq counts segments from 0, index is the first
// raft index that may stand in the file (0 for the first). Sorted by name is sorted by seq.
// Follows etcd server/storage/wal/util.go and the opening half of wal.go.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/status.h"
#include "base/types.h"
#include "wal/decoder.h"

namespace kvorum::wal {

struct SegmentName {
  uint64_t seq = 0;
  Index first_index;

  std::string ToString() const;
  // nullopt for any other name.
  static std::optional<SegmentName> Parse(std::string_view name);
  friend bool operator==(const SegmentName&, const SegmentName&) = default;
};

// An open segment.
struct Segment {
  SegmentName name;
  std::unique_ptr<File> file;
};

// All segments of a directory, oldest first. Foreign names are ignored, with a warning unless they
// end in ".tmp". NotFound "wal: file not found" if there are none or no directory.
StatusOr<std::vector<SegmentName>> ListSegments(Env& env, const std::string& dir);

// Those needed to read from the entry after `start` on. NotFound if none reaches back that far,
// DataLoss if one is missing in between.
StatusOr<std::vector<SegmentName>> SelectSegments(std::vector<SegmentName> all, Index start);

enum class SegmentAccess {
  kRead,         // unlocked
  kWriteLocked,  // FailedPrecondition if someone else holds one of them
};
StatusOr<std::vector<Segment>> OpenSegments(Env& env, const std::string& dir,
                                            const std::vector<SegmentName>& names,
                                            SegmentAccess access);

// A decoder's view of open segments, which must outlive it.
StatusOr<std::vector<DecoderInput>> DecoderInputs(const std::vector<Segment>& segments);

// `path` as a name that can be extended ("a/b/" -> "a/b"), and the directory it stands in.
std::string WithoutTrailingSlashes(std::string path);
std::string ParentDir(const std::string& path);

}  // namespace kvorum::wal
