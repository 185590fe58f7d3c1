// Env over the system calls of Linux.

#include <absl/cleanup/cleanup.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>

#include "base/env.h"
#include "base/strings.h"

namespace kvorum {
namespace {

Status ErrnoStatus(int error, std::string_view operation, std::string_view path) {
  const std::string text =
      StrCat(operation, " ", path, ": ", std::generic_category().message(error));
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(text);
    case EEXIST:
      return absl::AlreadyExistsError(text);
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(text);
    default:
      return absl::InternalError(text);
  }
}

// The result of `call`, repeated while a signal interrupts it.
template <typename Call>
auto Retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

WallTime ToWallTime(const timespec& t) {
  return WallTime(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
}

class PosixFile : public File {
 public:
  PosixFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  ~PosixFile() override {
    if (fd_ >= 0) close(fd_);
  }

  StatusOr<size_t> ReadAt(uint64_t offset, std::span<char> out) override {
    size_t done = 0;
    while (done < out.size()) {
      const ssize_t n = Retry([&] {
        return pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      });
      if (n < 0) return Error("read");
      if (n == 0) break;
      done += static_cast<size_t>(n);
    }
    return done;
  }

  Status WriteAt(uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = Retry(
          [&] { return pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
      if (n < 0) return Error("write");
      bytes.remove_prefix(static_cast<size_t>(n));
      offset += static_cast<uint64_t>(n);
    }
    return absl::OkStatus();
  }

  Status WriteAt(uint64_t offset, std::span<const std::string_view> pieces) override {
    std::vector<iovec> vector;
    vector.reserve(pieces.size());
    for (std::string_view piece : pieces) {
      if (!piece.empty()) vector.push_back({const_cast<char*>(piece.data()), piece.size()});
    }
    for (std::span<iovec> rest(vector); !rest.empty();) {
      const int count = static_cast<int>(std::min<size_t>(rest.size(), IOV_MAX));
      const ssize_t n =
          Retry([&] { return pwritev(fd_, rest.data(), count, static_cast<off_t>(offset)); });
      if (n < 0) return Error("write");
      offset += static_cast<uint64_t>(n);
      rest = AfterWriting(rest, static_cast<size_t>(n));
    }
    return absl::OkStatus();
  }

  StatusOr<uint64_t> Size() override {
    struct stat info;
    if (fstat(fd_, &info) != 0) return Error("stat");
    return static_cast<uint64_t>(info.st_size);
  }

  Status Truncate(uint64_t size) override {
    if (Retry([&] { return ftruncate(fd_, static_cast<off_t>(size)); }) != 0) {
      return Error("truncate");
    }
    return absl::OkStatus();
  }

  Status Preallocate(uint64_t size) override {
    ASSIGN_OR_RETURN(const uint64_t current, Size());
    if (size == 0) return absl::OkStatus();  // fallocate refuses a length of 0
    if (Retry([&] { return fallocate(fd_, 0, 0, static_cast<off_t>(size)); }) == 0) {
      return absl::OkStatus();
    }
    if (errno != EOPNOTSUPP && errno != ENOSYS) return Error("fallocate");
    return size > current ? Truncate(size) : absl::OkStatus();
  }

  // A failed sync is not retried, not even after EINTR: the first attempt may already have reported
  // and forgotten an error of the device.
  Status SyncData() override { return fdatasync(fd_) == 0 ? absl::OkStatus() : Error("fdatasync"); }
  Status Sync() override { return fsync(fd_) == 0 ? absl::OkStatus() : Error("fsync"); }

  Status TryLock() override { return Lock(F_WRLCK, LOCK_EX); }
  Status Unlock() override { return Lock(F_UNLCK, LOCK_UN); }

  Status Close() override {
    // The descriptor is gone whatever close returns, so a failure is reported once and not retried.
    const int fd = std::exchange(fd_, -1);
    return close(fd) == 0 ? absl::OkStatus() : Error("close");
  }

 private:
  // `vector` without its first `written` bytes.
  static std::span<iovec> AfterWriting(std::span<iovec> vector, size_t written) {
    while (!vector.empty() && written >= vector.front().iov_len) {
      written -= vector.front().iov_len;
      vector = vector.subspan(1);
    }
    if (written > 0) {
      vector.front().iov_base = static_cast<char*>(vector.front().iov_base) + written;
      vector.front().iov_len -= written;
    }
    return vector;
  }

  Status Lock(short ofd_type, int flock_operation) {
    struct flock whole_file = {};
    whole_file.l_type = ofd_type;
    whole_file.l_whence = SEEK_SET;
    int result = Retry([&] { return fcntl(fd_, F_OFD_SETLK, &whole_file); });
    if (result != 0 && errno == EINVAL) {
      result = Retry([&] { return flock(fd_, flock_operation | LOCK_NB); });
    }
    if (result == 0) return absl::OkStatus();
    if (errno == EAGAIN || errno == EACCES) {
      return absl::FailedPreconditionError("fileutil: file already locked");
    }
    return Error("lock");
  }

  Status Error(std::string_view operation) const { return ErrnoStatus(errno, operation, path_); }

  const std::string path_;
  int fd_;
};

int OpenFlags(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT;
    case OpenMode::kCreateNew:
      return O_RDWR | O_CREAT | O_EXCL;
    case OpenMode::kTruncate:
      return O_RDWR | O_CREAT | O_TRUNC;
  }
  return O_RDONLY;
}

class PosixEnvironment : public Env {
 public:
  StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode,
                                       uint32_t permissions) override {
    const int fd =
        Retry([&] { return open(path.c_str(), OpenFlags(mode) | O_CLOEXEC, permissions); });
    if (fd < 0) return ErrnoStatus(errno, "open", path);
    return std::make_unique<PosixFile>(path, fd);
  }

  StatusOr<std::vector<std::string>> List(const std::string& dir) override {
    DIR* const stream = opendir(dir.c_str());
    if (stream == nullptr) return ErrnoStatus(errno, "open", dir);
    const absl::Cleanup close_stream = [stream] { closedir(stream); };
    std::vector<std::string> names;
    errno = 0;  // readdir tells its end and an error apart by nothing else
    while (const dirent* entry = readdir(stream)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return ErrnoStatus(errno, "readdir", dir);
    std::sort(names.begin(), names.end());
    return names;
  }

  StatusOr<FileInfo> Stat(const std::string& path) override {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return ErrnoStatus(errno, "stat", path);
    return FileInfo{.size = static_cast<uint64_t>(info.st_size),
                    .modified = ToWallTime(info.st_mtim),
                    .is_directory = S_ISDIR(info.st_mode)};
  }

  Status CreateDir(const std::string& dir, uint32_t permissions) override {
    return Checked(mkdir(dir.c_str(), permissions), "mkdir", dir);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return Checked(rename(from.c_str(), to.c_str()), "rename", StrCat(from, " ", to));
  }
  Status Link(const std::string& from, const std::string& to) override {
    return Checked(link(from.c_str(), to.c_str()), "link", StrCat(from, " ", to));
  }
  Status RemoveFile(const std::string& path) override {
    return Checked(unlink(path.c_str()), "remove", path);
  }
  Status RemoveDir(const std::string& dir) override {
    return Checked(rmdir(dir.c_str()), "remove", dir);
  }

  Status SyncDir(const std::string& dir) override {
    const int fd = Retry([&] { return open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0) return ErrnoStatus(errno, "open", dir);
    const absl::Cleanup close_fd = [fd] { close(fd); };
    return Checked(fsync(fd), "fsync", dir);
  }

  StatusOr<uint64_t> FreeBytes(const std::string& path) override {
    struct statvfs info;
    if (statvfs(path.c_str(), &info) != 0) return ErrnoStatus(errno, "statvfs", path);
    return uint64_t{info.f_bavail} * info.f_frsize;
  }

 private:
  static Status Checked(int result, std::string_view operation, std::string_view path) {
    return result == 0 ? absl::OkStatus() : ErrnoStatus(errno, operation, path);
  }
};

}  // namespace

Env& PosixEnv() {
  static PosixEnvironment* const env = new PosixEnvironment;
  return *env;
}

}  // namespace kvorum
