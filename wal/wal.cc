#include "wal/wal.h"

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "wal/encoder.h"
#include "wal/file_pipeline.h"
#include "wal/segment.h"

namespace kvorum::wal {
namespace {

constexpr Duration kSlowSync = std::chrono::seconds(1);

}  // namespace

Wal::Wal(Env& env, std::string dir, const Options& options)
    : env_(env),
      dir_(std::move(dir)),
      options_(options),
      pipeline_(std::make_unique<FilePipeline>(env, dir_, options.segment_bytes)) {}

Wal::~Wal() = default;

template <typename Operation>
Status Wal::Guarded(Operation operation) {
  if (failure_.ok()) failure_ = operation();
  return failure_;
}

Status Wal::Append(const HardState& state, std::span<const LogEntry> entries) {
  return Guarded([&] { return AppendRecords(state, entries); });
}

Status Wal::AppendRecords(const HardState& state, std::span<const LogEntry> entries) {
  for (const LogEntry& entry : entries) {
    // A gap would make the log unreadable.
    CHECK_LE(entry.index, last_index_ + 1);
    CHECK(&entry == &entries.front() || entry.index == last_index_ + 1);
    encoder_->AddEntry(entry);
    last_index_ = entry.index;
  }
  must_sync_ |= !entries.empty();
  if (!state.empty()) {
    encoder_->AddState(state);
    must_sync_ |= state.term != state_.term || state.vote != state_.vote;
    state_ = state;
  }
  if (encoder_->empty()) return absl::OkStatus();
  RETURN_IF_ERROR(WriteEncoded());
  return tail_bytes_ < options_.segment_bytes ? absl::OkStatus() : Cut();
}

Status Wal::Sync() {
  return Guarded([&] { return dirty_ ? SyncTail() : absl::OkStatus(); });
}

Status Wal::Save(const HardState& state, std::span<const LogEntry> entries) {
  RETURN_IF_ERROR(Append(state, entries));
  return must_sync_ ? Sync() : absl::OkStatus();
}

Status Wal::SaveSnapshot(const WalSnapshot& snapshot) {
  if (snapshot.index > Index(0) && !snapshot.conf_state) {
    return absl::InvalidArgumentError("Saved (not-initial) snapshot is missing ConfState: index:" +
                                      std::to_string(snapshot.index.value()) +
                                      " term:" + std::to_string(snapshot.term.value()));
  }
  return Guarded([&]() -> Status {
    encoder_->AddSnapshot(snapshot);
    RETURN_IF_ERROR(WriteEncoded());
    last_index_ = std::max(last_index_, snapshot.index);
    return SyncTail();
  });
}

Status Wal::WriteEncoded() {
  const TimePoint start = options_.clock->Now();
  const uint64_t bytes = encoder_->bytes();
  dirty_ = true;
  RETURN_IF_ERROR(tail().WriteAt(tail_bytes_, encoder_->pieces()));
  encoder_->Clear();
  tail_bytes_ += bytes;
  if (options_.on_write) options_.on_write(options_.clock->Now() - start, bytes);
  return absl::OkStatus();
}

Status Wal::SyncTail() {
  if (!options_.unsafe_no_fsync) {
    const TimePoint start = options_.clock->Now();
    RETURN_IF_ERROR(tail().SyncData());
    const Duration took = options_.clock->Now() - start;
    if (took > kSlowSync) {
      LOG_WARN("slow fdatasync", {"took", took}, {"expected-duration", kSlowSync});
    }
    if (options_.on_fsync) options_.on_fsync(took);
  }
  dirty_ = false;
  must_sync_ = false;
  return absl::OkStatus();
}

// A crash at any point in here leaves either a complete old tail without a successor, which the
// next Open() goes on filling, or a complete successor.
Status Wal::Cut() {
  RETURN_IF_ERROR(tail().Truncate(tail_bytes_));
  RETURN_IF_ERROR(SyncTail());
  return StartNextSegment();
}

Status Wal::StartNextSegment() {
  const SegmentName name{.seq = segments_.back().name.seq + 1, .first_index = last_index_ + 1};
  ASSIGN_OR_RETURN(FilePipeline::Prepared next, pipeline_->Take());
  segments_.push_back({.name = name, .file = std::move(next.file)});
  tail_bytes_ = 0;

  encoder_->AddCrc();
  encoder_->AddMetadata(metadata_);
  if (!state_.empty()) encoder_->AddState(state_);
  RETURN_IF_ERROR(WriteEncoded());
  // Content before name: a segment that can be listed has a whole head.
  RETURN_IF_ERROR(SyncTail());
  const std::string path = JoinPath(dir_, name.ToString());
  RETURN_IF_ERROR(env_.Rename(next.path, path));
  RETURN_IF_ERROR(env_.SyncDir(dir_));
  LOG_INFO("created a new WAL segment", {"path", path});
  return absl::OkStatus();
}

Status Wal::ReleaseLockTo(Index index) {
  // The segment before the first one that starts at `index` or later may still hold entries above
  // it.
  const auto later = std::find_if(segments_.begin(), segments_.end(),
                                  [&](const Segment& s) { return s.name.first_index >= index; });
  if (later == segments_.begin()) return absl::OkStatus();
  for (auto it = segments_.begin(); it != later - 1; ++it) RETURN_IF_ERROR(it->file->Close());
  segments_.erase(segments_.begin(), later - 1);
  return absl::OkStatus();
}

Status Wal::PrepareNext() {
  if (!failure_.ok()) return failure_;
  return pipeline_->Prepare();
}

Status Wal::Close() {
  Status status = Sync();
  status.Update(pipeline_->Discard());
  for (Segment& segment : segments_) status.Update(segment.file->Close());
  segments_.clear();
  if (failure_.ok()) failure_ = absl::FailedPreconditionError("wal: closed");
  return status;
}

std::vector<std::string> Wal::locked_segments() const {
  std::vector<std::string> names;
  for (const Segment& segment : segments_) names.push_back(segment.name.ToString());
  return names;
}

File& Wal::tail() { return *segments_.back().file; }

}  // namespace kvorum::wal
