#include "api/grpc/snapshot_sender.h"

#include <grpc/support/time.h>

#include <algorithm>
#include <string>
#include <utility>

#include "api/grpc/serving.h"
#include "base/human_bytes.h"
#include "base/log.h"

namespace kvorum::api {

using server::Error;

Duration SnapshotPatience(uint64_t bytes) {
  constexpr double kBytesPerSecond = 100 << 20;  // what a network of 1 Gbit/s can carry
  constexpr Duration kLeast = std::chrono::seconds(30);
  const std::chrono::duration<double> transfer(static_cast<double>(bytes) / kBytesPerSecond);
  return std::max(kLeast, std::chrono::duration_cast<Duration>(transfer));
}

Task<grpc::Status> SnapshotSender::Run() {
  Error error = co_await PlanFile();
  if (error == Error::kOk) error = co_await SendFile();
  co_await Release();
  co_return ToStatus(error);
}

// Comes back to the polling thread, with kTooManyRequests when the pool is full.
Task<Error> SnapshotSender::OnReadPool(std::function<Error()> work) {
  const Error entered = co_await EnterReadPool(server_);
  if (entered != Error::kOk) co_return entered;
  const Error error = work();
  co_await queue_.Switch();
  co_return error;
}

// The file's size is known once every row was looked at.
Task<Error> SnapshotSender::PlanFile() {
  bool planned = false;
  const std::function<Error()> plan = [&] {
    if (file_ == nullptr) file_ = server_.NewDatabaseExport();
    return file_->Plan(&planned);
  };
  while (!planned) {
    if (call_.over()) co_return Error::kContextCanceled;
    const Error error = co_await OnReadPool(plan);
    if (error != Error::kOk) co_return error;
  }
  total_bytes_ = file_->bytes();
  co_return Error::kOk;
}

Task<Error> SnapshotSender::SendFile() {
  const std::string size = HumanBytes(total_bytes_);
  began_ = SystemClock().Now();
  LOG_INFO("sending database snapshot to client", {"total-bytes", total_bytes_}, {"size", size},
           {"storage-version", file_->storage_version()});
  WarnWhileSlow();
  Error error = co_await SendBatches();
  if (error == Error::kOk) {
    LOG_INFO("sending database sha256 checksum to client", {"total-bytes", total_bytes_},
             {"checksum-size", Sha256::kSize});
    const grpc::ByteBuffer message = Message(0, sum_.Finish());
    const bool sent = co_await call_.Write(message);
    if (!sent) error = Error::kContextCanceled;
  }
  transfer_over_ = true;
  patience_.Cancel();
  co_await warner_over_.Wait();
  if (error != Error::kOk) co_return error;
  LOG_INFO("successfully sent database snapshot to client", {"total-bytes", total_bytes_},
           {"size", size}, {"took", SystemClock().Now() - began_},
           {"storage-version", file_->storage_version()});
  co_return error;
}

// While the client takes a batch, the next is made.
Task<Error> SnapshotSender::SendBatches() {
  StartBatch();
  for (;;) {
    co_await batch_ready_->Wait();
    const Batch batch = std::exchange(batch_, Batch());
    if (batch.error != Error::kOk) co_return batch.error;
    if (!batch.last) StartBatch();
    bool sent = true;
    for (size_t i = 0; sent && i < batch.messages.size(); ++i) {
      sent = co_await call_.Write(batch.messages[i]);
    }
    if (!sent && !batch.last) co_await batch_ready_->Wait();
    if (!sent) co_return Error::kContextCanceled;
    if (batch.last) co_return Error::kOk;
  }
}

// REQUIRES: none is being made. To be followed by a wait for batch_ready_ before anything else
// happens to this object.
Detached SnapshotSender::StartBatch() {
  const CallQueue::Hold hold(&queue_);
  batch_ready_.emplace();
  const std::function<Error()> fill = [this] { return FillBatch(); };
  batch_.error = co_await OnReadPool(fill);
  batch_ready_->Set();  // may end *this
}

Error SnapshotSender::FillBatch() {
  for (size_t filled = 0; filled < kSnapshotBatchBytes && !batch_.last;
       filled += kSnapshotPieceBytes) {
    std::string piece;
    const Error error = file_->Read(kSnapshotPieceBytes, &piece);
    if (error != Error::kOk) return error;
    // The export promises the bytes that it has announced.
    if (piece.empty() || piece.size() > total_bytes_ - read_bytes_) return Error::kInternal;
    read_bytes_ += piece.size();
    sum_.Update(piece);
    batch_.messages.push_back(Message(total_bytes_ - read_bytes_, std::move(piece)));
    batch_.last = read_bytes_ == total_bytes_;
  }
  return Error::kOk;
}

grpc::ByteBuffer SnapshotSender::Message(uint64_t remaining_bytes, std::string blob) const {
  etcdserverpb::SnapshotResponse message;
  message.set_remaining_bytes(remaining_bytes);
  message.set_blob(std::move(blob));
  message.set_version(file_->storage_version());
  return Encode(message);
}

// A client that reads slowly keeps the state of then on the disk.
Detached SnapshotSender::WarnWhileSlow() {
  const CallQueue::Hold hold(&queue_);
  const gpr_timespec patience =
      gpr_time_from_nanos(SnapshotPatience(total_bytes_).count(), GPR_TIMESPAN);
  while (!transfer_over_) {
    const gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), patience);
    const bool passed =
        co_await Operation([&](void* tag) { patience_.Set(queue_.grpc_queue(), deadline, tag); });
    if (!passed || transfer_over_) break;
    LOG_WARN("snapshotting taking too long to transfer", {"taking", SystemClock().Now() - began_},
             {"bytes", total_bytes_}, {"size", HumanBytes(total_bytes_)});
  }
  warner_over_.Set();  // may end *this
}

// To let go of the rows may mean to remove files.
Task<bool> SnapshotSender::Release() {
  const std::function<Error()> release = [this] {
    file_.reset();
    return Error::kOk;
  };
  const Error released = co_await OnReadPool(release);
  co_return released == Error::kOk;
}

}  // namespace kvorum::api
