#include "server/peer/stream_reader.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "server/peer/codec.h"
#include "server/peer/stream_writer.h"

namespace kvorum::server::peer {
namespace {

constexpr size_t kMaxRefusalBytes = 4 << 10;
constexpr int kOk = 200;
constexpr int kNotFound = 404;
constexpr int kGone = 410;
constexpr int kPreconditionFailed = 412;

std::string StreamPath(StreamKind kind, MemberId self) {
  return StrCat("/raft/stream/", kind == StreamKind::kMsgApp ? "msgapp/" : "message/", HexId(self));
}

}  // namespace

StreamReader::StreamReader(const PeerContext* context, MemberId from, StreamKind kind,
                           std::shared_ptr<UrlPicker> picker, std::shared_ptr<PeerStatus> status)
    : context_(context),
      from_(from),
      kind_(kind),
      picker_(std::move(picker)),
      status_(std::move(status)),
      redial_(context->dial_loop.get()) {}

void StreamReader::Start() {
  LOG_INFO("started stream reader with remote peer", {"stream-reader-type", StreamName(kind_)},
           {"local-member-id", HexId(context_->self())}, {"remote-peer-id", HexId(from_)});
  Dial();
}

void StreamReader::Stop() {
  if (std::exchange(stopped_, true)) return;
  redial_.Cancel();
  if (connection_ != nullptr) connection_->Close();
  LOG_INFO("stopped stream reader with remote peer", {"stream-reader-type", StreamName(kind_)},
           {"local-member-id", HexId(context_->self())}, {"remote-peer-id", HexId(from_)});
}

void StreamReader::Dial() {
  if (stopped_) return;
  url_ = picker_->Pick();
  LOG_DEBUG("dial stream reader", {"from", HexId(context_->self())}, {"to", HexId(from_)},
            {"address", url_.text + StreamPath(kind_, context_->self())});
  connection_ = ClientConnection::New(context_->dial_loop.get(), context_->local_address);
  connection_->Connect(
      url_, context_->timing.dial_timeout, [self = shared_from_this()](const Status& status) {
        status.ok() ? self->SendRequest() : self->DialFailed(ToStd(status.message()));
      });
}

void StreamReader::SendRequest() {
  HttpHeaders headers = context_->identity.request_headers();
  headers.emplace_back("X-Raft-To", HexId(from_));
  auto request = std::make_shared<const std::string>(RequestHead(
      "GET", StreamPath(kind_, context_->self()), url_.HostHeader(), headers, BodyFraming()));
  connection_->Send(
      request, context_->timing.io_timeout, [self = shared_from_this()](const Status& status) {
        if (!status.ok()) {
          self->DialFailed(ToStd(status.message()));
          return;
        }
        self->connection_->ReadHead(self->context_->timing.io_timeout,
                                    [self](const Status& status) { self->OnHead(status); });
      });
}

void StreamReader::OnHead(const Status& status) {
  if (!status.ok()) {
    DialFailed(ToStd(status.message()));
    return;
  }
  if (!StreamVersionIsUsable(FindHeader(connection_->headers(), "X-Server-Version"))) {
    // Says nothing about whether the peer can be reached.
    picker_->Unreachable(url_);
    connection_->Close();
    Redial();
    return;
  }
  if (connection_->status() == kPreconditionFailed) {
    ReadRefusal("");
    return;
  }
  if (connection_->status() != kOk) {
    Refused(connection_->status(), "");
    return;
  }
  status_->Activate();
  LOG_INFO("established TCP streaming connection with remote peer",
           {"stream-reader-type", StreamName(kind_)}, {"local-member-id", HexId(context_->self())},
           {"remote-peer-id", HexId(from_)});
  decoder_ = NewStreamDecoder(kind_, from_, context_->self());
  Read();
}

void StreamReader::ReadRefusal(std::string so_far) {
  connection_->ReadSome(
      context_->timing.io_timeout,
      [self = shared_from_this(), so_far](const StatusOr<std::string>& piece) mutable {
        if (piece.ok() && !piece->empty() && so_far.size() < kMaxRefusalBytes) {
          self->ReadRefusal(so_far + *piece);
        } else {
          self->Refused(kPreconditionFailed, std::move(so_far));
        }
      });
}

void StreamReader::Refused(int http_status, std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  std::string reason = StrCat("unhandled http status ", http_status);
  if (http_status == kGone) {
    reason = "the member has been permanently removed from the cluster";
    if (!stopped_) context_->handler->OnRemovedFromCluster();
  } else if (http_status == kNotFound) {
    reason = StrCat("peer ", HexId(from_), " failed to find local node ", HexId(context_->self()));
  } else if (text == kIncompatibleVersion) {
    reason = text;
    LOG_WARN("request sent was ignored by remote peer due to server version incompatibility",
             {"local-member-id", HexId(context_->self())}, {"remote-peer-id", HexId(from_)},
             {"error", text});
  } else if (text == kClusterIdMismatch) {
    reason = text;
    const std::string* const cluster = FindHeader(connection_->headers(), "X-Etcd-Cluster-ID");
    LOG_WARN("request sent was ignored by remote peer due to cluster ID mismatch",
             {"remote-peer-id", HexId(from_)},
             {"remote-peer-cluster-id", cluster == nullptr ? "" : cluster->c_str()},
             {"local-member-id", HexId(context_->self())},
             {"local-member-cluster-id", HexId(context_->identity.cluster())}, {"error", text});
  } else if (http_status == kPreconditionFailed) {
    reason = StrCat("unhandled error \"", text, "\" when precondition failed");
  }
  DialFailed(reason);
}

void StreamReader::Read() {
  connection_->ReadSome(
      context_->timing.io_timeout,
      [self = shared_from_this()](const StatusOr<std::string>& piece) { self->OnPiece(piece); });
}

void StreamReader::OnPiece(const StatusOr<std::string>& piece) {
  if (stopped_) return;
  if (!piece.ok() || piece->empty()) {
    Lost(piece.status());
    return;
  }
  const Status status = decoder_->Feed(*piece, &messages_);
  for (raft::Message& message : messages_) Receive(std::move(message));
  messages_.clear();
  if (status.ok()) {
    Read();
  } else {
    Lost(status);
  }
}

void StreamReader::Receive(raft::Message message) {
  status_->metrics().received_bytes().Add(MessageSize(message));
  if (paused_) return;
  const raft::MessageType type = message.type;
  if (Deliver(*context_, std::move(message)) != Delivery::kDropped) return;
  const bool active = status_->active();
  LOG_WARN(active ? "dropped internal Raft message since receiving buffer is full (overloaded "
                    "network)"
                  : "dropped Raft message since receiving buffer is full (overloaded network)",
           {"message-type", raft::Name(type)}, {"local-member-id", HexId(context_->self())},
           {"from", HexId(from_)}, {"remote-peer-id", HexId(context_->self())},
           {"remote-peer-active", active});
  status_->metrics().ReceiveFailed();
}

void StreamReader::DialFailed(std::string_view reason) {
  connection_->Close();
  if (stopped_) return;
  picker_->Unreachable(url_);
  status_->Deactivate("dial", StreamName(kind_), reason);
  Redial();
}

// An end in order, by which the other side gives up a connection, is no failure.
void StreamReader::Lost(const Status& status) {
  connection_->Close();
  LOG_WARN("lost TCP streaming connection with remote peer",
           {"stream-reader-type", StreamName(kind_)}, {"local-member-id", HexId(context_->self())},
           {"remote-peer-id", HexId(from_)},
           {"error", status.ok() ? "EOF" : std::string(status.message())});
  if (!status.ok()) status_->Deactivate("read", StreamName(kind_), ToStd(status.message()));
  Redial();
}

// The first attempt after a while is immediate.
void StreamReader::Redial() {
  if (stopped_) return;
  const TimePoint now = SystemClock().Now();
  const Duration delay = std::max(Duration::zero(), next_dial_ - now);
  next_dial_ = std::max(now, next_dial_) + context_->timing.redial_interval;
  redial_.After(delay, [self = shared_from_this()] { self->Dial(); });
}

}  // namespace kvorum::server::peer
