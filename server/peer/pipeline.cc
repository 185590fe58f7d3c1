#include "server/peer/pipeline.h"

#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "server/peer/codec.h"

namespace kvorum::server::peer {
namespace {

constexpr size_t kMaxReplyBytes = 64 << 10;
// The receiver answers once raft has the message; etcd's holds a forwarded proposal back while
// there is no leader. Without a limit, as in etcd, a dead machine would hold a worker for ever.
constexpr Duration kAnswerTimeout = std::chrono::seconds(30);

}  // namespace

struct Pipeline::Sending {
  uint64_t id;
  PeerUrl url;
  bool is_snapshot;
  size_t bytes;
};

Pipeline::Pipeline(const PeerContext* context, MemberId to, std::shared_ptr<UrlPicker> picker,
                   std::shared_ptr<PeerStatus> status)
    : context_(context), to_(to), picker_(std::move(picker)), status_(std::move(status)) {
  queue_.Open();
  LOG_INFO("started HTTP pipelining with remote peer", {"local-member-id", HexId(context_->self())},
           {"remote-peer-id", HexId(to_)});
}

bool Pipeline::Push(raft::Message&& message) {
  switch (queue_.Push(std::move(message))) {
    case MessageQueue::Result::kQueuedFirst:
      context_->dial_loop->Post([self = shared_from_this()] { self->Pump(); });
      return true;
    case MessageQueue::Result::kQueued:
      return true;
    case MessageQueue::Result::kFull:
    case MessageQueue::Result::kClosed:
      return false;
  }
  return false;
}

void Pipeline::Stop() {
  stopped_ = true;
  queue_.Close();
  for (const auto& [id, request] : std::exchange(requests_, {})) {
    if (const auto closable = request.lock()) closable->Close();
  }
  LOG_INFO("stopped HTTP pipelining with remote peer", {"local-member-id", HexId(context_->self())},
           {"remote-peer-id", HexId(to_)});
}

void Pipeline::Pump() {
  while (!stopped_ && workers_ < kPipelineWorkers) {
    std::vector<raft::Message> one = queue_.Take(1, 0);
    if (one.empty()) return;
    ++workers_;
    Post(std::move(one.front()));
  }
}

void Pipeline::Post(raft::Message message) {
  Sending sending = {.id = next_request_++,
                     .url = picker_->Pick(),
                     .is_snapshot = message.type == raft::MessageType::kSnap,
                     .bytes = MessageSize(message)};
  HttpHeaders headers = context_->identity.request_headers();
  headers.emplace_back("Content-Type", "application/protobuf");
  std::string request =
      RequestHead("POST", "/raft", sending.url.HostHeader(), headers, {.bytes = sending.bytes});
  request.reserve(request.size() + sending.bytes);
  AppendMessage(&request, message);
  HttpClient::Call call = {.request = std::make_shared<const std::string>(std::move(request)),
                           .answer_timeout = kAnswerTimeout,
                           .max_body_bytes = kMaxReplyBytes};
  requests_[sending.id] =
      context_->client->Send(sending.url, std::move(call),
                             [self = shared_from_this(), sending](StatusOr<HttpReply> reply) {
                               self->OnReply(sending, std::move(reply));
                             });
}

void Pipeline::OnReply(const Sending& sending, StatusOr<HttpReply> reply) {
  --workers_;
  requests_.erase(sending.id);
  if (stopped_) return;
  Status status = reply.status();
  if (reply.ok()) status = CheckPostReply(*context_, to_, sending.url.text + "/raft", *reply);
  if (status.ok()) {
    status_->Activate();
    status_->metrics().sent_bytes().Add(sending.bytes);
  } else {
    picker_->Unreachable(sending.url);
    status_->Deactivate("write", "pipeline", ToStd(status.message()));
    status_->metrics().SendFailed();
    context_->handler->OnUnreachable(to_);
  }
  if (sending.is_snapshot) context_->handler->OnSnapshotSent(to_, status.ok());
  Pump();
}

}  // namespace kvorum::server::peer
