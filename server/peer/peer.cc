#include "server/peer/peer.h"

#include <utility>

#include "base/log.h"

namespace kvorum::server::peer {
namespace {

void LogDropped(const PeerContext& context, MemberId to, const raft::Message& message,
                std::string_view channel, bool active) {
  LOG_WARN("dropped internal Raft message since sending buffer is full",
           {"message-type", raft::Name(message.type)}, {"local-member-id", HexId(context.self())},
           {"from", HexId(message.from)}, {"remote-peer-id", HexId(to)},
           {"remote-peer-name", channel}, {"remote-peer-active", active});
}

}  // namespace

Peer::Peer(const PeerContext* context, MemberId id, std::vector<PeerUrl> urls)
    : context_(context),
      id_(id),
      status_(std::make_shared<PeerStatus>(context->self(), id)),
      picker_(std::make_shared<UrlPicker>(std::move(urls))),
      msgapp_writer_(std::make_shared<StreamWriter>(context, id, StreamKind::kMsgApp, status_)),
      message_writer_(std::make_shared<StreamWriter>(context, id, StreamKind::kMessage, status_)),
      msgapp_reader_(
          std::make_shared<StreamReader>(context, id, StreamKind::kMsgApp, picker_, status_)),
      message_reader_(
          std::make_shared<StreamReader>(context, id, StreamKind::kMessage, picker_, status_)),
      pipeline_(std::make_shared<Pipeline>(context, id, picker_, status_)),
      probers_{std::make_shared<Prober>(context, id, "ROUND_TRIPPER_SNAPSHOT", status_),
               std::make_shared<Prober>(context, id, "ROUND_TRIPPER_RAFT_MESSAGE", status_)} {}

void Peer::Start() {
  context_->dial_loop->Post([this] {  // Stop comes behind it
    msgapp_reader_->Start();
    message_reader_->Start();
    for (const auto& prober : probers_) prober->Start(picker_->urls());
  });
}

void Peer::Stop() {
  LOG_INFO("stopping remote peer", {"remote-peer-id", HexId(id_)});
  context_->dial_loop->PostAndWait([this] {
    msgapp_reader_->Stop();
    message_reader_->Stop();
    pipeline_->Stop();
    for (const auto& prober : probers_) prober->Stop();
  });
  context_->accept_loop->PostAndWait([this] {
    msgapp_writer_->Stop();
    message_writer_->Stop();
  });
  status_->Deactivate("keep", "peer", "stopped");
  LOG_INFO("stopped remote peer", {"remote-peer-id", HexId(id_)});
}

void Peer::Update(std::vector<PeerUrl> urls) {
  picker_->Update(urls);
  context_->dial_loop->PostAndWait([this, &urls] {
    for (const auto& prober : probers_) prober->Start(urls);
  });
}

void Peer::Send(raft::Message message) {
  if (paused_) return;
  const std::optional<std::string_view> full = TryChannels(&message);
  if (!full) return;
  LogDropped(*context_, id_, message, *full, status_->active());
  status_->metrics().SendFailed();
  context_->handler->OnUnreachable(id_);
  if (message.type == raft::MessageType::kSnap) context_->handler->OnSnapshotSent(id_, false);
}

std::optional<std::string_view> Peer::TryChannels(raft::Message* message) {
  using Result = MessageQueue::Result;
  const bool is_snapshot = message->type == raft::MessageType::kSnap;
  if (message->type == raft::MessageType::kApp) {
    const Result result = msgapp_writer_->Push(std::move(*message));
    if (result == Result::kFull) return "streamMsgAppV2";
    if (result != Result::kClosed) return std::nullopt;
  }
  if (!is_snapshot) {
    const Result result = message_writer_->Push(std::move(*message));
    if (result == Result::kFull) return "streamMsg";
    if (result != Result::kClosed) return std::nullopt;
  }
  if (pipeline_->Push(std::move(*message))) return std::nullopt;
  return "pipeline";
}

void Peer::Attach(StreamKind kind, std::shared_ptr<HttpExchange> exchange) {
  const auto& writer = kind == StreamKind::kMsgApp ? msgapp_writer_ : message_writer_;
  writer->Attach(std::move(exchange));
}

void Peer::SetPaused(bool paused) {
  paused_ = paused;
  msgapp_reader_->SetPaused(paused);
  message_reader_->SetPaused(paused);
}

Remote::Remote(const PeerContext* context, MemberId id, std::vector<PeerUrl> urls)
    : context_(context),
      id_(id),
      status_(std::make_shared<PeerStatus>(context->self(), id)),
      pipeline_(std::make_shared<Pipeline>(
          context, id, std::make_shared<UrlPicker>(std::move(urls)), status_)) {}

void Remote::Stop() {
  context_->dial_loop->PostAndWait([this] { pipeline_->Stop(); });
}

void Remote::Send(raft::Message message) {
  if (paused_ || pipeline_->Push(std::move(message))) return;
  LogDropped(*context_, id_, message, "pipeline", status_->active());
  status_->metrics().SendFailed();
}

}  // namespace kvorum::server::peer
