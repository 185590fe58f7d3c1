// Making a new log: see Wal::Create.

#include <absl/strings/str_format.h>

#include <chrono>
#include <ctime>

#include "base/check.h"
#include "base/log.h"
#include "wal/encoder.h"
#include "wal/file_pipeline.h"
#include "wal/segment.h"
#include "wal/wal.h"

namespace kvorum::wal {
namespace {

// "<dir>.broken.20060102.150405.123456": local time, trailing zeros of the fraction left out.
std::string BrokenName(const std::string& dir, WallTime now) {
  using namespace std::chrono;
  const auto micros = duration_cast<microseconds>(now.time_since_epoch()).count();
  const time_t seconds = micros / 1'000'000;
  tm local{};
  localtime_r(&seconds, &local);
  char text[32];
  strftime(text, sizeof(text), "%Y%m%d.%H%M%S", &local);
  std::string fraction = absl::StrFormat(".%06d", micros % 1'000'000);
  while (fraction.back() == '0') fraction.pop_back();
  if (fraction == ".") fraction.clear();
  return absl::StrFormat("%s.broken.%s%s", dir, text, fraction);
}

}  // namespace

StatusOr<std::unique_ptr<Wal>> Wal::Create(Env& env, const std::string& dir_path,
                                           const Metadata& metadata, const Options& options) {
  const std::string dir = WithoutTrailingSlashes(dir_path);
  if (Exists(env, dir)) return absl::AlreadyExistsError("file already exists");

  // Built aside and renamed, so that a directory of that name is a whole log.
  const std::string tmp_dir = dir + ".tmp";
  RETURN_IF_ERROR(env.RemoveAll(tmp_dir));
  RETURN_IF_ERROR(env.CreateDirs(tmp_dir));
  std::unique_ptr<Wal> wal(new Wal(env, dir, options));
  Status status = wal->WriteFirstSegment(tmp_dir, metadata);
  if (status.ok()) status = env.RemoveAll(dir);
  if (status.ok()) status = env.Rename(tmp_dir, dir);
  if (!status.ok()) {
    env.RemoveAll(tmp_dir).IgnoreError();
    return status;
  }
  status = env.SyncDir(ParentDir(dir));
  if (!status.ok()) {
    // Whether the log is there after a crash is unknown: nobody may find it and trust it.
    LOG_WARN("failed to fsync the parent data directory file", {"parent-dir-path", ParentDir(dir)},
             {"dir-path", dir}, {"error", status});
    env.Rename(dir, BrokenName(dir, options.clock->WallNow())).IgnoreError();
    return status;
  }
  return wal;
}

Status Wal::WriteFirstSegment(const std::string& tmp_dir, const Metadata& metadata) {
  const SegmentName name{.seq = 0, .first_index = Index(0)};
  const std::string path = JoinPath(tmp_dir, name.ToString());
  ASSIGN_OR_RETURN(auto file, env_.Open(path, OpenMode::kCreateNew));
  RETURN_IF_ERROR(file->TryLock());
  RETURN_IF_ERROR(file->Preallocate(options_.segment_bytes));
  segments_.push_back({.name = name, .file = std::move(file)});
  metadata_ = EncodeMetadata(metadata);
  encoder_ = std::make_unique<Encoder>(0);
  encoder_->AddCrc();
  encoder_->AddMetadata(metadata_);
  encoder_->AddSnapshot(WalSnapshot());
  RETURN_IF_ERROR(WriteEncoded());
  RETURN_IF_ERROR(SyncTail());
  return env_.SyncDir(tmp_dir);
}

bool Exists(Env& env, const std::string& dir) {
  const auto names = env.List(dir);
  if (!names.ok()) return false;
  for (const std::string& name : *names) {
    if (name.ends_with(".wal")) return true;
  }
  return false;
}

}  // namespace kvorum::wal
