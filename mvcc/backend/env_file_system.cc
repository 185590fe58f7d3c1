#include "mvcc/backend/env_file_system.h"

#include <algorithm>
#include <utility>

#include "mvcc/backend/status_convert.h"

namespace kvorum::mvcc {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

IOStatus ReadInto(File& file, uint64_t offset, size_t n, rocksdb::Slice* result, char* scratch) {
  const StatusOr<size_t> got = file.ReadAt(offset, std::span<char>(scratch, n));
  if (!got.ok()) return ToRocksDb(got.status());
  *result = rocksdb::Slice(scratch, *got);
  return IOStatus::OK();
}

class SequentialFile : public rocksdb::FSSequentialFile {
 public:
  explicit SequentialFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
  IOStatus Read(size_t n, const IOOptions&, rocksdb::Slice* result, char* scratch,
                IODebugContext*) override {
    const IOStatus status = ReadInto(*file_, offset_, n, result, scratch);
    if (status.ok()) offset_ += result->size();
    return status;
  }
  IOStatus Skip(uint64_t n) override {
    offset_ += n;
    return IOStatus::OK();
  }

 private:
  std::unique_ptr<File> file_;
  uint64_t offset_ = 0;
};

class RandomAccessFile : public rocksdb::FSRandomAccessFile {
 public:
  explicit RandomAccessFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
  IOStatus Read(uint64_t offset, size_t n, const IOOptions&, rocksdb::Slice* result, char* scratch,
                IODebugContext*) const override {
    return ReadInto(*file_, offset, n, result, scratch);
  }

 private:
  std::unique_ptr<File> file_;
};

class WritableFile : public rocksdb::FSWritableFile {
 public:
  WritableFile(std::unique_ptr<File> file, uint64_t size) : file_(std::move(file)), size_(size) {}
  using FSWritableFile::Append;
  IOStatus Append(const rocksdb::Slice& data, const IOOptions&, IODebugContext*) override {
    const Status status = file_->WriteAt(size_, View(data));
    if (status.ok()) size_ += data.size();
    return ToRocksDb(status);
  }
  IOStatus Truncate(uint64_t size, const IOOptions&, IODebugContext*) override {
    const Status status = file_->Truncate(size);
    if (status.ok()) size_ = size;
    return ToRocksDb(status);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return ToRocksDb(file_->Close()); }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return ToRocksDb(file_->SyncData()); }
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return ToRocksDb(file_->Sync()); }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return size_; }

 private:
  std::unique_ptr<File> file_;
  uint64_t size_;
};

class Directory : public rocksdb::FSDirectory {
 public:
  Directory(Env& env, std::string path) : env_(env), path_(std::move(path)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    return ToRocksDb(env_.SyncDir(path_));
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  Env& env_;
  const std::string path_;
};

class Lock : public rocksdb::FileLock {
 public:
  explicit Lock(std::unique_ptr<File> file) : file(std::move(file)) {}
  std::unique_ptr<File> file;
};

class AdapterFileSystem : public rocksdb::FileSystem {
 public:
  explicit AdapterFileSystem(Env& env) : env_(env) {}
  const char* Name() const override { return "KvorumEnvFileSystem"; }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result,
                             IODebugContext*) override {
    return Open<SequentialFile>(path, OpenMode::kRead, result);
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions&,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext*) override {
    return Open<RandomAccessFile>(path, OpenMode::kRead, result);
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions&,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext*) override {
    return OpenWritable(path, OpenMode::kTruncate, result);
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions&,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext*) override {
    return OpenWritable(path, OpenMode::kCreate, result);
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions&,
                        std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext*) override {
    const StatusOr<FileInfo> info = env_.Stat(path);
    if (!info.ok()) return ToRocksDb(info.status());
    *result = std::make_unique<Directory>(env_, path);
    return IOStatus::OK();
  }

  IOStatus FileExists(const std::string& path, const IOOptions&, IODebugContext*) override {
    const StatusOr<FileInfo> info = env_.Stat(path);
    // RocksDB asks for exactly NotFound here.
    return absl::IsNotFound(info.status()) ? IOStatus::NotFound() : ToRocksDb(info.status());
  }
  IOStatus GetChildren(const std::string& dir, const IOOptions&, std::vector<std::string>* result,
                       IODebugContext*) override {
    StatusOr<std::vector<std::string>> names = env_.List(dir);
    if (!names.ok()) return ToRocksDb(names.status());
    *result = *std::move(names);
    return IOStatus::OK();
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override {
    return ToRocksDb(env_.RemoveFile(path));
  }
  IOStatus Truncate(const std::string& path, size_t size, const IOOptions&,
                    IODebugContext*) override {
    StatusOr<std::unique_ptr<File>> file = env_.Open(path, OpenMode::kReadWrite);
    return ToRocksDb(file.ok() ? (*file)->Truncate(size) : file.status());
  }
  IOStatus CreateDir(const std::string& dir, const IOOptions&, IODebugContext*) override {
    return ToRocksDb(env_.CreateDir(dir));
  }
  IOStatus CreateDirIfMissing(const std::string& dir, const IOOptions&, IODebugContext*) override {
    return ToRocksDb(env_.CreateDirs(dir));
  }
  IOStatus DeleteDir(const std::string& dir, const IOOptions&, IODebugContext*) override {
    return ToRocksDb(env_.RemoveDir(dir));
  }
  IOStatus GetFileSize(const std::string& path, const IOOptions&, uint64_t* size,
                       IODebugContext*) override {
    const StatusOr<FileInfo> info = env_.Stat(path);
    if (info.ok()) *size = info->size;
    return ToRocksDb(info.status());
  }
  IOStatus GetFileModificationTime(const std::string& path, const IOOptions&, uint64_t* seconds,
                                   IODebugContext*) override {
    const StatusOr<FileInfo> info = env_.Stat(path);
    if (info.ok()) {
      *seconds = static_cast<uint64_t>(
          std::chrono::duration_cast<std::chrono::seconds>(info->modified.time_since_epoch())
              .count());
    }
    return ToRocksDb(info.status());
  }
  IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* is_dir,
                       IODebugContext*) override {
    const StatusOr<FileInfo> info = env_.Stat(path);
    if (info.ok()) *is_dir = info->is_directory;
    return ToRocksDb(info.status());
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                      IODebugContext*) override {
    return ToRocksDb(env_.Rename(from, to));
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions&,
                    IODebugContext*) override {
    return ToRocksDb(env_.Link(from, to));
  }

  IOStatus LockFile(const std::string& path, const IOOptions&, rocksdb::FileLock** lock,
                    IODebugContext*) override {
    *lock = nullptr;
    StatusOr<std::unique_ptr<File>> file = env_.Open(path, OpenMode::kCreate);
    if (!file.ok()) return ToRocksDb(file.status());
    const Status locked = (*file)->TryLock();
    if (!locked.ok()) return ToRocksDb(locked);
    *lock = new Lock(*std::move(file));
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
    const std::unique_ptr<Lock> held(static_cast<Lock*>(lock));
    return ToRocksDb(held->file->Unlock());
  }

  // RocksDB asks before it tries again after a full disk.
  IOStatus GetFreeSpace(const std::string& path, const IOOptions&, uint64_t* free,
                        IODebugContext*) override {
    const StatusOr<uint64_t> bytes = env_.FreeBytes(path);
    if (bytes.ok()) *free = *bytes;
    return ToRocksDb(bytes.status());
  }
  IOStatus GetTestDirectory(const IOOptions&, std::string*, IODebugContext*) override {
    return IOStatus::NotSupported("test directory");
  }
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* absolute,
                           IODebugContext*) override {
    *absolute = path;
    return IOStatus::OK();
  }

 private:
  template <typename Own, typename Base>
  IOStatus Open(const std::string& path, OpenMode mode, std::unique_ptr<Base>* result) {
    StatusOr<std::unique_ptr<File>> file = env_.Open(path, mode);
    if (!file.ok()) return ToRocksDb(file.status());
    *result = std::make_unique<Own>(*std::move(file));
    return IOStatus::OK();
  }
  IOStatus OpenWritable(const std::string& path, OpenMode mode,
                        std::unique_ptr<rocksdb::FSWritableFile>* result) {
    StatusOr<std::unique_ptr<File>> file = env_.Open(path, mode);
    if (!file.ok()) return ToRocksDb(file.status());
    const StatusOr<uint64_t> size = (*file)->Size();
    if (!size.ok()) return ToRocksDb(size.status());
    *result = std::make_unique<WritableFile>(*std::move(file), *size);
    return IOStatus::OK();
  }

  Env& env_;
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> NewAdapterFileSystem(Env& env) {
  return std::make_shared<AdapterFileSystem>(env);
}

std::shared_ptr<rocksdb::FileSystem> NewEnvFileSystem(Env& env) {
  return &env == &PosixEnv() ? rocksdb::FileSystem::Default() : NewAdapterFileSystem(env);
}

}  // namespace kvorum::mvcc
