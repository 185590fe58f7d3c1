#include "server/peer/snapshot_receiver.h"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/human_bytes.h"
#include "base/log.h"
#include "base/strings.h"
#include "server/peer/codec.h"
#include "server/peer/metrics.h"
#include "server/peer/task_thread.h"

namespace kvorum::server::peer {
namespace {

constexpr size_t kLengthBytes = 8;
// What a worker is given at a time.
constexpr size_t kStoreBytes = 1 << 20;
constexpr char kUnknownSender[] = "UNKNOWN_SNAPSHOT_SENDER";
constexpr auto kReceive = SnapshotMeter::Direction::kReceive;

}  // namespace

// The workers, lent to one request each, and the number of requests.
struct SnapshotReceivers::Shared {
  Shared(const PeerContext* the_context, std::function<bool(MemberId)> the_is_peer)
      : context(the_context),
        is_peer(std::move(the_is_peer)),
        headers{{"X-Etcd-Cluster-ID", HexId(context->identity.cluster())}} {}

  // Null if all are lent.
  TaskThread* Borrow() {
    absl::MutexLock lock(&mutex);
    if (idle.empty() && workers.size() < kMaxIncomingSnapshots) {
      workers.push_back(std::make_unique<TaskThread>("peer-snap-recv"));
      idle.push_back(workers.back().get());
    }
    if (idle.empty()) return nullptr;
    TaskThread* const worker = idle.back();
    idle.pop_back();
    return worker;
  }
  void Return(TaskThread* worker) {
    absl::MutexLock lock(&mutex);
    idle.push_back(worker);
  }

  const PeerContext* const context;
  const std::function<bool(MemberId)> is_peer;
  const HttpHeaders headers;  // of all answers
  std::atomic<size_t> requests = 0;
  absl::Mutex mutex;
  std::vector<std::unique_ptr<TaskThread>> workers ABSL_GUARDED_BY(mutex);
  std::vector<TaskThread*> idle ABSL_GUARDED_BY(mutex);
};

// One request. Its worker has at most one task, and the loop waits for it, so the members are never
// used by two threads at a time.
class SnapshotReceivers::Reception : public std::enable_shared_from_this<Reception> {
 public:
  Reception(std::shared_ptr<Shared> shared, std::shared_ptr<HttpExchange> exchange)
      : shared_(std::move(shared)), exchange_(std::move(exchange)) {
    ++shared_->requests;
  }
  // What was received and not committed is removed by the worker: that may take a while.
  ~Reception() {
    --shared_->requests;
    if (worker_ == nullptr) return;
    worker_->Post([receiver = std::shared_ptr<SnapshotReceiver>(std::move(receiver_))] {});
    shared_->Return(worker_);
  }

  void Start() {
    if (shared_->requests > kMaxSnapshotRequests) {
      SaveFailed(absl::ResourceExhaustedError("too many requests"));
    } else {
      ReadEnvelope();
    }
  }

 private:
  void ReadEnvelope() {
    Read([this](const StatusOr<std::string>& piece) {
      if (!piece.ok() || piece->empty()) {
        BadEnvelope(piece.ok() ? "unexpected EOF" : piece.status().message());
        return;
      }
      buffer_ += *piece;
      TakeEnvelope();
    });
  }

  const PeerContext& context() const { return *shared_->context; }
  std::string LocalId() const { return HexId(context().self()); }

  void Read(std::function<void(StatusOr<std::string>)> done) {
    exchange_->ReadSome([self = shared_from_this(), done = std::move(done)](
                            StatusOr<std::string> piece) { done(std::move(piece)); });
  }
  // Runs `task` where it may block, then `next` on the loop. Without a loop, which means that the
  // transport has stopped, everything is dropped.
  void Block(std::function<void()> task, std::function<void()> next) {
    worker_->Post(
        [self = shared_from_this(), task = std::move(task), next = std::move(next)]() mutable {
          task();
          const std::shared_ptr<IoLoop> loop = self->context().accept_loop;
          loop->Post([self = std::move(self), next = std::move(next)] { next(); });
        });
  }

  void TakeEnvelope() {
    if (buffer_.size() < kLengthBytes) {
      ReadEnvelope();
      return;
    }
    const uint64_t length = ReadBigEndian64(buffer_);
    if (length > kMaxSnapshotMessageBytes) {
      BadEnvelope("rafthttp: error limit exceeded");
    } else if (buffer_.size() - kLengthBytes < length) {
      ReadEnvelope();
    } else {
      OnEnvelope(length);
    }
  }

  void OnEnvelope(size_t length) {
    StatusOr<raft::Message> message =
        DecodeMessage(std::string_view(buffer_).substr(kLengthBytes, length));
    if (!message.ok()) {
      BadEnvelope(message.status().message());
      return;
    }
    message_ = std::move(*message);
    message_bytes_ = length;
    buffer_.erase(0, kLengthBytes + length);
    if (message_.type != raft::MessageType::kSnap || message_.snapshot == nullptr) {
      LOG_WARN("unexpected Raft message type", {"local-member-id", LocalId()},
               {"remote-snapshot-sender-id", HexId(message_.from)},
               {"message-type", raft::Name(message_.type)});
      Refuse(400, "wrong raft message type");
      return;
    }
    Begin();
  }

  void Begin() {
    from_ = HexId(message_.from);
    LOG_INFO("receiving database snapshot", {"local-member-id", LocalId()},
             {"remote-snapshot-sender-id", from_}, {"incoming-snapshot-index", index()},
             {"incoming-snapshot-message-size-bytes", message_bytes_},
             {"incoming-snapshot-message-size", HumanBytes(message_bytes_)});
    worker_ = shared_->Borrow();
    if (worker_ == nullptr) {
      SaveFailed(absl::ResourceExhaustedError("too many snapshots at the same time"));
      return;
    }
    meter_ = std::make_unique<SnapshotMeter>(
        kReceive, shared_->is_peer(message_.from) ? from_ : kUnknownSender);
    Block(
        [this] {
          auto receiver = context().handler->BeginSnapshot(message_);
          if (receiver.ok()) {
            receiver_ = std::move(*receiver);
          } else {
            status_ = receiver.status();
          }
        },
        [this] { Store(std::exchange(buffer_, {})); });
  }

  void Store(std::string bytes) {
    if (!status_.ok()) {
      SaveFailed(status_);
      return;
    }
    database_bytes_ += bytes.size();
    Block([this, bytes = std::move(bytes)] { status_ = receiver_->Write(bytes); },
          [this] { Next(); });
  }

  void Next() {
    if (!status_.ok()) {
      SaveFailed(status_);
      return;
    }
    if (ended_) {
      Block([this] { status_ = receiver_->Commit(); }, [this] { OnCommitted(); });
      return;
    }
    Gather();
  }

  // To wake the worker costs more than to copy a piece.
  void Gather() {
    Read([this](const StatusOr<std::string>& piece) {
      if (!piece.ok()) {
        SaveFailed(piece.status());
        return;
      }
      buffer_ += *piece;
      ended_ = piece->empty();
      if (ended_ || buffer_.size() >= kStoreBytes) {
        Store(std::exchange(buffer_, {}));
      } else {
        Gather();
      }
    });
  }

  void OnCommitted() {
    if (!status_.ok()) {
      SaveFailed(status_);
      return;
    }
    LOG_INFO("received and saved database snapshot", {"local-member-id", LocalId()},
             {"remote-snapshot-sender-id", from_}, {"incoming-snapshot-index", index()},
             {"incoming-snapshot-size-bytes", database_bytes_},
             {"incoming-snapshot-size", HumanBytes(database_bytes_)},
             {"download-took", SystemClock().Now() - begin_});
    switch (Deliver(context(), std::move(message_))) {
      case Delivery::kTaken:
        meter_->Succeeded(SystemClock().Now() - begin_);
        Reply({.status = 204, .headers = shared_->headers});
        return;
      case Delivery::kRefused:
        Refuse(500, "failed to process raft message (not for this member)");
        return;
      case Delivery::kDropped:
        Refuse(500, "failed to process raft message (receiving buffer is full)");
        return;
    }
  }

  void BadEnvelope(absl::string_view why) {
    LOG_WARN("failed to decode Raft message", {"local-member-id", LocalId()},
             {"remote-snapshot-sender-id", from_}, {"error", why});
    CountBadRequest(exchange_->request().remote_host);
    Refuse(400, StrCat("failed to decode raft message (", why, ")"));
  }
  void SaveFailed(const Status& status) {
    LOG_WARN("failed to save incoming database snapshot", {"local-member-id", LocalId()},
             {"remote-snapshot-sender-id", from_}, {"incoming-snapshot-index", index()},
             {"error", status});
    Refuse(500, StrCat("failed to save KV snapshot (", status.message(), ")"));
  }
  void Refuse(int status, std::string_view text) {
    if (meter_ != nullptr) {
      meter_->Failed();
    } else {
      CountUnknownSnapshotFailure();
    }
    HttpReply reply = TextReply(status, text);
    reply.headers.insert(reply.headers.end(), shared_->headers.begin(), shared_->headers.end());
    Reply(std::move(reply));
  }
  void Reply(HttpReply reply) { exchange_->Reply(std::move(reply)); }

  uint64_t index() const {
    return message_.snapshot == nullptr ? 0 : message_.snapshot->metadata.index.value();
  }

  const std::shared_ptr<Shared> shared_;
  const std::shared_ptr<HttpExchange> exchange_;
  const TimePoint begin_ = SystemClock().Now();
  std::string buffer_;  // read and not taken
  raft::Message message_;
  size_t message_bytes_ = 0;
  std::string from_ = "0";
  uint64_t database_bytes_ = 0;
  bool ended_ = false;  // the body
  Status status_;       // of the last task
  std::unique_ptr<SnapshotMeter> meter_;
  std::unique_ptr<SnapshotReceiver> receiver_;
  TaskThread* worker_ = nullptr;  // borrowed
};

SnapshotReceivers::SnapshotReceivers(const PeerContext* context,
                                     std::function<bool(MemberId)> is_peer)
    : shared_(std::make_shared<Shared>(context, std::move(is_peer))) {}

SnapshotReceivers::~SnapshotReceivers() { Stop(); }

void SnapshotReceivers::Handle(std::shared_ptr<HttpExchange> exchange) {
  std::make_shared<Reception>(shared_, std::move(exchange))->Start();
}

void SnapshotReceivers::Stop() {
  std::vector<std::unique_ptr<TaskThread>> workers;
  {
    absl::MutexLock lock(&shared_->mutex);
    workers.swap(shared_->workers);
    shared_->idle.clear();
  }
  workers.clear();  // joins; what they still do may take the lock
}

void CountUnknownSnapshotFailure() { SnapshotMeter::Failed(kReceive, kUnknownSender); }

}  // namespace kvorum::server::peer
