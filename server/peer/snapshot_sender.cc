#include "server/peer/snapshot_sender.h"

#include <pthread.h>

#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/human_bytes.h"
#include "base/log.h"
#include "base/strings.h"
#include "server/peer/client_connection.h"
#include "server/peer/codec.h"

namespace kvorum::server::peer {
namespace {

constexpr size_t kReadBytes = 256 << 10;
// The receiver may be busy with its disk for a while; etcd has no limit here.
constexpr Duration kWriteTimeout = std::chrono::minutes(1);
// Until it has synced the database and raft has taken the message.
constexpr Duration kAnswerTimeout = std::chrono::minutes(5);
constexpr size_t kMaxReplyBytes = 64 << 10;

// One upload, on its own loop.
class Upload : public std::enable_shared_from_this<Upload> {
 public:
  Upload(const PeerContext* context, IoLoop* loop, SnapshotSenders::Job* job, PeerUrl url)
      : context_(context),
        loop_(loop),
        job_(*job),
        url_(std::move(url)),
        connection_(ClientConnection::New(loop, context->local_address)) {}

  void Start(uint64_t announced_bytes) {
    left_bytes_ = announced_bytes;
    connection_->Connect(url_, context_->timing.dial_timeout, Then([this] { SendEnvelope(); }));
  }
  const Status& result() const { return result_; }

 private:
  ClientConnection::Done Then(std::function<void()> next) {
    return [self = shared_from_this(), next = std::move(next)](const Status& status) {
      status.ok() ? next() : self->End(status);
    };
  }
  // Of a write: the receiver may have said why it does not read on.
  ClientConnection::Done ThenOrAnswer(std::function<void()> next) {
    return [self = shared_from_this(), next = std::move(next)](const Status& status) {
      if (status.ok()) {
        next();
      } else {
        self->write_error_ = status;
        self->ReadAnswer();
      }
    };
  }

  void SendEnvelope() {
    HttpHeaders headers = context_->identity.request_headers();
    headers.emplace_back("Content-Type", "application/octet-stream");
    std::string envelope;
    AppendBigEndian64(&envelope, MessageSize(job_.message));
    AppendMessage(&envelope, job_.message);
    std::string bytes =
        RequestHead("POST", "/raft/snapshot", url_.HostHeader(), headers, {.chunked = true}) +
        Chunk(envelope);
    connection_->Send(std::make_shared<const std::string>(std::move(bytes)), kWriteTimeout,
                      ThenOrAnswer([this] { SendPiece(); }));
  }

  void SendPiece() {
    StatusOr<std::string> piece = job_.source->Read(kReadBytes);
    if (!piece.ok()) {
      End(piece.status());
    } else if (piece->size() > left_bytes_ || (piece->empty() && left_bytes_ > 0)) {
      End(absl::DataLossError("the database's size is not the announced one"));
    } else if (piece->empty()) {
      connection_->Send(std::make_shared<const std::string>(kLastChunk), kWriteTimeout,
                        ThenOrAnswer([this] { ReadAnswer(); }));
    } else {
      left_bytes_ -= piece->size();
      connection_->Send(std::make_shared<const std::string>(Chunk(*piece)), kWriteTimeout,
                        ThenOrAnswer([this] { SendPiece(); }));
    }
  }

  void ReadAnswer() {
    connection_->ReadHead(kAnswerTimeout, [self = shared_from_this()](const Status& status) {
      if (!status.ok()) {
        self->End(self->write_error_.ok() ? status : self->write_error_);
        return;
      }
      self->reply_.status = self->connection_->status();
      self->reply_.headers = self->connection_->headers();
      self->ReadBody();
    });
  }

  void ReadBody() {
    connection_->ReadSome(context_->timing.io_timeout, [self = shared_from_this()](
                                                           const StatusOr<std::string>& piece) {
      if (piece.ok() && !piece->empty() && self->reply_.body.size() < kMaxReplyBytes) {
        self->reply_.body += *piece;
        self->ReadBody();
        return;
      }
      self->End(CheckPostReply(*self->context_, self->job_.message.to,
                               self->url_.text + "/raft/snapshot", self->reply_));
    });
  }

  void End(const Status& status) {
    result_ = status;
    connection_->Close();
    loop_->Finish();
  }

  const PeerContext* const context_;
  IoLoop* const loop_;
  SnapshotSenders::Job& job_;
  const PeerUrl url_;
  const std::shared_ptr<ClientConnection> connection_;
  uint64_t left_bytes_ = 0;
  Status write_error_;
  HttpReply reply_;
  Status result_ = absl::CancelledError("stopped");
};

Status UploadOver(IoLoop* loop, const PeerContext* context, SnapshotSenders::Job* job,
                  const PeerUrl& url, uint64_t size_bytes) {
  const auto upload = std::make_shared<Upload>(context, loop, job, url);
  loop->Post([upload, size_bytes] { upload->Start(size_bytes); });
  loop->Run();
  return upload->result();
}

// The whole of one job.
void Run(const PeerContext* context, IoLoop* loop, SnapshotSenders::Job job) {
  const TimePoint begin = SystemClock().Now();
  const MemberId to = job.message.to;
  const uint64_t index = job.message.snapshot->metadata.index.value();
  SnapshotMeter meter(SnapshotMeter::Direction::kSend, HexId(to));
  const PeerUrl url = job.picker->Pick();
  const StatusOr<uint64_t> size = job.source->Open();
  const uint64_t bytes = size.value_or(0);
  LOG_INFO("sending database snapshot", {"snapshot-index", index}, {"remote-peer-id", HexId(to)},
           {"bytes", bytes}, {"size", HumanBytes(bytes)});
  const Status status = size.ok() ? UploadOver(loop, context, &job, url, bytes) : size.status();
  if (status.ok()) {
    job.status->Activate();
    context->handler->OnSnapshotSent(to, true);
    LOG_INFO("sent database snapshot", {"snapshot-index", index}, {"remote-peer-id", HexId(to)},
             {"bytes", bytes}, {"size", HumanBytes(bytes)});
    job.status->metrics().sent_bytes().Add(bytes);
    meter.Succeeded(SystemClock().Now() - begin);
    return;
  }
  LOG_WARN("failed to send database snapshot", {"snapshot-index", index},
           {"remote-peer-id", HexId(to)}, {"bytes", bytes}, {"size", HumanBytes(bytes)},
           {"error", status});
  job.picker->Unreachable(url);
  job.status->Deactivate("post", "sendMsgSnap", ToStd(status.message()));
  job.status->metrics().SendFailed();
  meter.Failed();
  context->handler->OnUnreachable(to);
  context->handler->OnSnapshotSent(to, false);
}

}  // namespace

SnapshotSenders::~SnapshotSenders() { Stop(); }

bool SnapshotSenders::Start(Job job) {
  absl::MutexLock lock(&mutex_);
  JoinFinished();
  if (stopped_ || tasks_.size() >= kMaxOutgoingSnapshots) return false;
  Task& task = tasks_.emplace_back();
  task.to = job.message.to;
  task.loop = std::make_shared<IoLoop>();
  task.thread = std::thread([this, &task, job = std::move(job)]() mutable {
    Run(context_, task.loop.get(), std::move(job));
    task.done = true;
  });
  pthread_setname_np(task.thread.native_handle(), "peer-snap-send");
  return true;
}

void SnapshotSenders::Cancel(MemberId peer) {
  absl::MutexLock lock(&mutex_);
  for (Task& task : tasks_) {
    if (task.to == peer) task.loop->Finish();
  }
}

void SnapshotSenders::Stop() {
  std::list<Task> tasks;
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    tasks.swap(tasks_);
  }
  for (Task& task : tasks) task.loop->Finish();
  for (Task& task : tasks) task.thread.join();
}

void SnapshotSenders::JoinFinished() {
  tasks_.remove_if([](Task& task) {
    if (!task.done) return false;
    task.thread.join();
    return true;
  });
}

}  // namespace kvorum::server::peer
