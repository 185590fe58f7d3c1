// Opening an existing log for writing: see Wal::Open.

#include <algorithm>

#include "wal/decoder.h"
#include "wal/encoder.h"
#include "wal/file_pipeline.h"
#include "wal/replay.h"
#include "wal/segment.h"
#include "wal/wal.h"

namespace kvorum::wal {
namespace {

StatusOr<std::vector<Segment>> OpenFrom(Env& env, const std::string& dir, Index start) {
  constexpr std::string_view kSelecting = "openAtIndex failed: [openAtIndex] selectWALFiles failed";
  constexpr std::string_view kOpening = "openAtIndex failed: [openAtIndex] openWALFiles failed";
  auto names = ListSegments(env, dir);
  if (!names.ok()) {
    return WithContext(WithContext(names.status(), "readWALNames failed"), kSelecting);
  }
  auto selected = SelectSegments(*std::move(names), start);
  if (!selected.ok()) return WithContext(selected.status(), kSelecting);
  auto segments = OpenSegments(env, dir, *selected, SegmentAccess::kWriteLocked);
  if (!segments.ok()) return WithContext(segments.status(), kOpening);
  return segments;
}

}  // namespace

StatusOr<Wal::OpenResult> Wal::Open(Env& env, const std::string& dir, const WalSnapshot& start,
                                    const Options& options) {
  ASSIGN_OR_RETURN(auto segments, OpenFrom(env, dir, start.index));
  ASSIGN_OR_RETURN(auto inputs, DecoderInputs(segments));
  Decoder decoder(std::move(inputs));
  ReplayedLog log;
  RETURN_IF_ERROR(ReplayRecords(decoder, start, &log));

  std::unique_ptr<Wal> wal(new Wal(env, dir, options));
  wal->metadata_ = std::move(log.metadata_bytes);
  wal->state_ = log.replay.hard_state;
  wal->last_index_ = std::max(log.last_index, start.index);
  wal->encoder_ = std::make_unique<Encoder>(decoder.crc());
  RETURN_IF_ERROR(wal->Adopt(std::move(segments), decoder.valid_bytes()));
  return OpenResult{.wal = std::move(wal), .replay = std::move(log.replay)};
}

Status Wal::Adopt(std::vector<Segment> segments, uint64_t valid_bytes) {
  segments_ = std::move(segments);
  tail_bytes_ = valid_bytes;
  // Behind the zero word that ended the log, remains of a torn write may stand. Were they
  // overwritten in part only, the rest would look like a damaged record one day.
  ASSIGN_OR_RETURN(const uint64_t old_size, tail().Size());
  if (old_size > valid_bytes) {
    RETURN_IF_ERROR(tail().Truncate(valid_bytes));
    RETURN_IF_ERROR(tail().Preallocate(old_size));
  }
  // A killed predecessor may have written, cut and even created without the sync that was to
  // follow; what is read from here counts as durable.
  RETURN_IF_ERROR(SyncTail());
  RETURN_IF_ERROR(env_.SyncDir(dir_));
  return env_.SyncDir(ParentDir(dir_));
}

bool IsRepairable(const Status& status) { return IsUnexpectedEof(status); }

}  // namespace kvorum::wal
