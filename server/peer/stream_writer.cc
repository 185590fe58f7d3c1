#include "server/peer/stream_writer.h"

#include <utility>
#include <vector>

#include "base/log.h"
#include "base/strings.h"
#include "server/config.h"
#include "server/peer/codec.h"

namespace kvorum::server::peer {
namespace {

// What is written in one go.
constexpr size_t kWriteMessages = 2048;
constexpr size_t kWriteBytes = 1 << 20;
// What a frame adds to a message or an entry, at most.
constexpr size_t kFrameBytes = 24;

}  // namespace

std::string_view StreamName(StreamKind kind) {
  return kind == StreamKind::kMsgApp ? "stream MsgApp v2" : "stream Message";
}

StreamWriter::StreamWriter(const PeerContext* context, MemberId to, StreamKind kind,
                           std::shared_ptr<PeerStatus> status)
    : context_(context),
      to_(to),
      kind_(kind),
      status_(std::move(status)),
      heartbeat_(context->accept_loop.get()) {
  LOG_INFO("started stream writer with remote peer", {"local-member-id", HexId(context_->self())},
           {"remote-peer-id", HexId(to_)});
}

MessageQueue::Result StreamWriter::Push(raft::Message&& message) {
  const MessageQueue::Result result = queue_.Push(std::move(message));
  if (result == MessageQueue::Result::kQueuedFirst) {
    context_->accept_loop->Post([self = shared_from_this()] { self->Pump(); });
  }
  return result;
}

void StreamWriter::Attach(std::shared_ptr<HttpExchange> exchange) {
  if (stopped_) {
    exchange->ReplyAndClose(TextReply(404, "error sender not found"));
    return;
  }
  LOG_INFO("set message encoder", {"from", HexId(context_->self())}, {"to", HexId(to_)},
           {"stream-type", StreamName(kind_)});
  if (Detach()) {
    LOG_WARN("closed TCP streaming connection with remote peer",
             {"stream-writer-type", StreamName(kind_)},
             {"local-member-id", HexId(context_->self())}, {"remote-peer-id", HexId(to_)});
  }
  exchange_ = std::move(exchange);
  encoder_ = NewStreamEncoder(kind_);
  writing_ = false;
  // First: who sees the head may rely on the stream.
  queue_.Open();
  status_->Activate();
  exchange_->StartStream({{"X-Server-Version", kServerVersion},
                          {"X-Etcd-Cluster-ID", HexId(context_->identity.cluster())}},
                         [self = shared_from_this(), mine = exchange_.get()] {
                           if (self->exchange_.get() != mine) return;
                           self->Lost("write", "connection closed by remote peer");
                         });
  ScheduleHeartbeat();
  LOG_INFO("established TCP streaming connection with remote peer",
           {"stream-writer-type", StreamName(kind_)}, {"local-member-id", HexId(context_->self())},
           {"remote-peer-id", HexId(to_)});
}

void StreamWriter::Stop() {
  stopped_ = true;
  if (Detach()) {
    LOG_WARN("closed TCP streaming connection with remote peer",
             {"stream-writer-type", StreamName(kind_)}, {"remote-peer-id", HexId(to_)});
  }
  LOG_INFO("stopped TCP streaming connection with remote peer",
           {"stream-writer-type", StreamName(kind_)}, {"remote-peer-id", HexId(to_)});
}

void StreamWriter::Pump() {
  if (writing_ || exchange_ == nullptr) return;
  const std::vector<raft::Message> messages = queue_.Take(kWriteMessages, kWriteBytes);
  if (messages.empty()) return;
  size_t counted_bytes = 0;
  size_t entries = 0;
  for (const raft::Message& message : messages) {
    counted_bytes += MessageSize(message);
    entries += message.entries.size();
  }
  std::string chunk = BeginChunk(counted_bytes + kFrameBytes * (messages.size() + entries));
  for (const raft::Message& message : messages) encoder_->Append(&chunk, message);
  Write(std::move(chunk), counted_bytes);
}

void StreamWriter::Write(std::string chunk, size_t counted_bytes) {
  EndChunk(&chunk);
  writing_ = true;
  exchange_->Write(std::move(chunk), [self = shared_from_this(), mine = exchange_.get(),
                                      counted_bytes](const Status& status) {
    if (self->exchange_.get() != mine) return;
    self->writing_ = false;
    if (!status.ok()) {
      self->Lost("write", ToStd(status.message()));
      self->context_->handler->OnUnreachable(self->to_);
      return;
    }
    self->status_->metrics().sent_bytes().Add(counted_bytes);
    self->Pump();
  });
}

void StreamWriter::ScheduleHeartbeat() {
  heartbeat_.After(context_->timing.io_timeout / 3,
                   [self = shared_from_this()] { self->Heartbeat(); });
}

// A write that is under way shows as well that this side is alive, or fails soon.
void StreamWriter::Heartbeat() {
  if (exchange_ == nullptr) return;
  if (!writing_) {
    const size_t bytes = MessageSize({.type = raft::MessageType::kHeartbeat});
    std::string chunk = BeginChunk(bytes + kFrameBytes);
    encoder_->AppendHeartbeat(&chunk);
    Write(std::move(chunk), bytes);
  }
  ScheduleHeartbeat();
}

void StreamWriter::Lost(std::string_view action, std::string_view reason) {
  status_->Deactivate(action, StreamName(kind_), reason);
  status_->metrics().SendFailed();
  Detach();
  LOG_WARN("lost TCP streaming connection with remote peer",
           {"stream-writer-type", StreamName(kind_)}, {"local-member-id", HexId(context_->self())},
           {"remote-peer-id", HexId(to_)});
}

bool StreamWriter::Detach() {
  heartbeat_.Cancel();
  if (exchange_ == nullptr) return false;
  // First: what is closed now calls back.
  const auto exchange = std::exchange(exchange_, nullptr);
  exchange->EndStream();
  if (queue_.Close() && !stopped_) context_->handler->OnUnreachable(to_);
  writing_ = false;
  return true;
}

}  // namespace kvorum::server::peer
