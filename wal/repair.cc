// Cutting off a torn end: see Repair in wal/wal.h. Follows etcd server/storage/wal/repair.go.

#include <algorithm>
#include <vector>

#include "base/log.h"
#include "base/strings.h"
#include "wal/decoder.h"
#include "wal/segment.h"
#include "wal/wal.h"

namespace kvorum::wal {
namespace {

constexpr size_t kCopyBytes = 1 << 20;

// Reads every record; the status is the decoder's, OK at a clean end.
Status ReadToEnd(Decoder& decoder) {
  for (Record record;;) {
    ASSIGN_OR_RETURN(const bool more, decoder.Next(&record));
    if (!more) return absl::OkStatus();
  }
}

Status CopyFile(Env& env, File& from, uint64_t size, const std::string& to) {
  ASSIGN_OR_RETURN(auto copy, env.Open(to, OpenMode::kTruncate));
  std::vector<char> buffer(std::min<uint64_t>(size, kCopyBytes));
  for (uint64_t offset = 0; offset < size;) {
    ASSIGN_OR_RETURN(const size_t n, from.ReadAt(offset, buffer));
    if (n == 0) break;
    RETURN_IF_ERROR(copy->WriteAt(offset, std::string_view(buffer.data(), n)));
    offset += n;
  }
  return copy->Sync();
}

Status CutOff(Env& env, const std::string& path, File& file, uint64_t size, uint64_t valid_bytes) {
  // The copy is for whoever wants to know what was lost; it must be there before that is gone.
  RETURN_IF_ERROR(CopyFile(env, file, size, path + ".broken"));
  RETURN_IF_ERROR(env.SyncDir(ParentDir(path)));
  RETURN_IF_ERROR(file.Truncate(valid_bytes));
  return file.Sync();
}

}  // namespace

Status Repair(Env& env, const std::string& dir) {
  ASSIGN_OR_RETURN(auto names, ListSegments(env, dir));
  names.erase(names.begin(), names.end() - 1);
  const std::string path = JoinPath(dir, names.front().ToString());
  LOG_INFO("repairing", {"path", path});
  ASSIGN_OR_RETURN(const auto segments, OpenSegments(env, dir, names, SegmentAccess::kWriteLocked));
  ASSIGN_OR_RETURN(const auto inputs, DecoderInputs(segments));
  Decoder decoder(inputs);
  Status status = ReadToEnd(decoder);
  if (IsUnexpectedEof(status)) {
    status = CutOff(env, path, *segments.front().file, inputs.front().size, decoder.valid_bytes());
  }
  if (status.ok()) {
    LOG_INFO("repaired", {"path", path});
  } else {
    LOG_WARN("failed to repair", {"path", path}, {"error", status});
  }
  return status;
}

StatusOr<Wal::OpenResult> OpenRepairing(Env& env, const std::string& dir, const WalSnapshot& start,
                                        const Options& options) {
  auto result = Wal::Open(env, dir, start, options);
  if (IsRepairable(result.status())) {
    RETURN_IF_ERROR(Repair(env, dir), "failed to repair WAL");
    LOG_INFO("repaired WAL", {"error", result.status()});
    result = Wal::Open(env, dir, start, options);
  }
  if (result.ok()) return result;
  const bool opened = !ToStd(result.status().message()).starts_with("openAtIndex failed");
  return WithContext(result.status(),
                     opened ? "failed to read WAL, cannot be repaired" : "failed to open WAL");
}

}  // namespace kvorum::wal
