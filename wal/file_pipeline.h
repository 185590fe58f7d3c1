#pragma once
// FilePipeline: the next segment's file, made and preallocated before the cut that needs it.
//
// The file is `0.tmp` or `1.tmp` in turn, so that the one being prepared is never the one being
// published. Left-over content of an earlier process is dropped: a new segment must be zeros
// (wal.h, invariant 3). Without a thread of its own: the owner calls Prepare() when it is idle.
//
// Follows etcd server/storage/wal/file_pipeline.go, which prepares in a goroutine and keeps old
// content.

#include <cstdint>
#include <memory>
#include <string>

#include "base/env.h"
#include "base/status.h"

namespace kvorum::wal {

class FilePipeline {
 public:
  struct Prepared {
    std::string path;
    std::unique_ptr<File> file;  // locked, `file_bytes` of zeros
  };

  FilePipeline(Env& env, std::string dir, uint64_t file_bytes);

  // Makes the next file unless it is there already. On failure none is left behind.
  Status Prepare();
  // Hands the file over to be filled and renamed; prepares it first if needed.
  StatusOr<Prepared> Take();
  // Deletes a prepared file.
  Status Discard();

 private:
  StatusOr<std::unique_ptr<File>> Make(const std::string& path);

  Env& env_;
  const std::string dir_;
  const uint64_t file_bytes_;
  uint64_t count_ = 0;
  Prepared next_;
};

}  // namespace kvorum::wal
