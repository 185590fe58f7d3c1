#include "mvcc/backend/status_convert.h"

namespace kvorum::mvcc {

Status FromRocksDb(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const std::string text = status.ToString();
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(text);
  if (status.IsCorruption()) return absl::DataLossError(text);
  if (status.IsNotFound() || status.IsPathNotFound()) return absl::NotFoundError(text);
  if (status.IsBusy()) return absl::FailedPreconditionError(text);
  if (status.IsIncomplete()) return absl::CancelledError(text);
  return absl::InternalError(text);
}

rocksdb::IOStatus ToRocksDb(const Status& status) {
  if (status.ok()) return rocksdb::IOStatus::OK();
  const std::string text(status.message());
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return rocksdb::IOStatus::PathNotFound(text);
    case absl::StatusCode::kResourceExhausted:
      return rocksdb::IOStatus::NoSpace(text);
    default:
      return rocksdb::IOStatus::IOError(text);
  }
}

}  // namespace kvorum::mvcc
