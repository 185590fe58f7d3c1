#include "wal/file_pipeline.h"

#include <utility>

#include "base/strings.h"

namespace kvorum::wal {

FilePipeline::FilePipeline(Env& env, std::string dir, uint64_t file_bytes)
    : env_(env), dir_(std::move(dir)), file_bytes_(file_bytes) {}

Status FilePipeline::Prepare() {
  if (next_.file != nullptr) return absl::OkStatus();
  const std::string path = JoinPath(dir_, StrCat(count_ % 2, ".tmp"));
  auto file = Make(path);
  if (!file.ok()) {
    env_.RemoveFile(path).IgnoreError();
    return WithContext(file.status(), "preparing a WAL segment");
  }
  next_ = {.path = path, .file = *std::move(file)};
  ++count_;
  return absl::OkStatus();
}

StatusOr<std::unique_ptr<File>> FilePipeline::Make(const std::string& path) {
  ASSIGN_OR_RETURN(auto file, env_.Open(path, OpenMode::kTruncate));
  RETURN_IF_ERROR(file->TryLock());
  RETURN_IF_ERROR(file->Preallocate(file_bytes_));
  return file;
}

StatusOr<FilePipeline::Prepared> FilePipeline::Take() {
  RETURN_IF_ERROR(Prepare());
  return std::exchange(next_, {});
}

Status FilePipeline::Discard() {
  if (next_.file == nullptr) return absl::OkStatus();
  return env_.RemoveFile(std::exchange(next_, {}).path);
}

}  // namespace kvorum::wal
