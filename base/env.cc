#include "base/env.h"

#include "base/strings.h"

namespace kvorum {
namespace {

// "" when `path` has no parent worth creating.
std::string ParentOf(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return "";
  return std::string(path.substr(0, slash));
}

}  // namespace

bool Env::Exists(const std::string& path) { return Stat(path).ok(); }

Status Env::CreateDirs(const std::string& dir, uint32_t permissions) {
  if (const auto info = Stat(dir); info.ok()) {
    if (info->is_directory) return absl::OkStatus();
    return absl::AlreadyExistsError(StrCat("mkdir ", dir, ": Not a directory"));
  }
  if (const std::string parent = ParentOf(dir); !parent.empty()) {
    RETURN_IF_ERROR(CreateDirs(parent, permissions));
  }
  Status created = CreateDir(dir, permissions);
  // Someone else may have been faster.
  if (absl::IsAlreadyExists(created)) {
    const auto info = Stat(dir);
    if (info.ok() && info->is_directory) return absl::OkStatus();
  }
  return created;
}

Status Env::RemoveAll(const std::string& path) {
  const auto info = Stat(path);
  if (absl::IsNotFound(info.status())) return absl::OkStatus();
  RETURN_IF_ERROR(info.status());
  if (!info->is_directory) return RemoveFile(path);
  ASSIGN_OR_RETURN(const auto names, List(path));
  for (const std::string& name : names) RETURN_IF_ERROR(RemoveAll(JoinPath(path, name)));
  return RemoveDir(path);
}

StatusOr<std::string> Env::ReadFile(const std::string& path) {
  ASSIGN_OR_RETURN(const auto file, Open(path, OpenMode::kRead));
  ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  std::string bytes(size, '\0');
  ASSIGN_OR_RETURN(const size_t read, file->ReadAt(0, std::span<char>(bytes.data(), bytes.size())));
  bytes.resize(read);
  return bytes;
}

Status Env::WriteFile(const std::string& path, std::string_view bytes, uint32_t permissions) {
  ASSIGN_OR_RETURN(const auto file, Open(path, OpenMode::kTruncate, permissions));
  RETURN_IF_ERROR(file->WriteAt(0, bytes));
  RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

std::string JoinPath(std::string_view dir, std::string_view name) {
  while (!dir.empty() && dir.back() == '/') dir.remove_suffix(1);
  while (!name.empty() && name.front() == '/') name.remove_prefix(1);
  return StrCat(dir, "/", name);
}

}  // namespace kvorum
