// The endpoints below /raft; see endpoints.h.

#include <absl/strings/str_split.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "server/config.h"
#include "server/peer/codec.h"
#include "server/peer/endpoints.h"
#include "server/peer/metrics.h"

namespace kvorum::server::peer {
namespace {

constexpr std::string_view kStreamPrefix = "/raft/stream/";

struct StreamPath {
  StreamKind kind;
  std::string_view id;
};

std::optional<StreamPath> ParseStreamPath(std::string_view path) {
  path.remove_prefix(kStreamPrefix.size());
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view kind = path.substr(0, slash);
  const std::string_view id = path.substr(slash + 1);
  if (kind == "msgapp") return StreamPath{StreamKind::kMsgApp, id};
  if (kind == "message") return StreamPath{StreamKind::kMessage, id};
  return std::nullopt;
}

}  // namespace

bool Endpoints::HandleRaft(const Exchange& exchange) {
  const std::string& path = exchange->request().path;
  if (path == "/raft") {
    Pipeline(exchange);
  } else if (path == "/raft/snapshot") {
    Snapshot(exchange);
  } else if (path == "/raft/probing") {
    Probing(exchange);
  } else if (path.starts_with(kStreamPrefix)) {
    Stream(exchange);
  } else {
    return false;
  }
  return true;
}

// Who posts and is not known yet can be answered.
void Endpoints::RememberSender(const HttpRequest& request) {
  const std::optional<uint64_t> from = ParseHexId(request.Header("X-Server-From"));
  const std::string urls = request.Header("X-PeerURLs");
  if (!from || urls.empty()) return;
  registry_->AddRemoteFromNetwork(MemberId(*from), absl::StrSplit(urls, ','));
}

void Endpoints::Pipeline(const Exchange& exchange) {
  if (!AllowMethod(exchange, "POST")) return;
  if (const auto refusal = context_->identity.Refusal(exchange->request())) {
    Reply(exchange, TextReply(412, *refusal));
    return;
  }
  RememberSender(exchange->request());
  bodies_.Read(exchange, kMaxMessageBytes, [this, exchange](StatusOr<std::string> body) {
    OnPipelineBody(exchange, std::move(body));
  });
}

void Endpoints::OnPipelineBody(const Exchange& exchange, StatusOr<std::string> body) {
  const std::string local = HexId(context_->self());
  if (!body.ok()) {
    LOG_WARN("failed to read Raft message", {"local-member-id", local}, {"error", body.status()});
    CountBadRequest(exchange->request().remote_host);
    Reply(exchange, TextReply(400, "error reading raft message"));
    return;
  }
  StatusOr<raft::Message> message = DecodeMessage(*body);
  if (!message.ok()) {
    LOG_WARN("failed to unmarshal Raft message", {"local-member-id", local},
             {"error", message.status()});
    CountBadRequest(exchange->request().remote_host);
    Reply(exchange, TextReply(400, "error unmarshalling raft message"));
    return;
  }
  registry_->CountReceived(message->from, body->size());
  const Delivery delivery = Deliver(*context_, std::move(*message));
  if (delivery == Delivery::kTaken) {
    Reply(exchange, {.status = 204});
    return;
  }
  // Never 403, which would stop a healthy member of etcd's.
  LOG_WARN("failed to process Raft message", {"local-member-id", local},
           {"error",
            delivery == Delivery::kRefused ? "not for this member" : "receiving buffer is full"});
  exchange->ReplyAndClose(
      WithClusterId(*context_, TextReply(500, "error processing raft message")));
}

void Endpoints::Snapshot(const Exchange& exchange) {
  if (!AllowMethod(exchange, "POST")) {
    CountUnknownSnapshotFailure();
    return;
  }
  if (const auto refusal = context_->identity.Refusal(exchange->request())) {
    CountUnknownSnapshotFailure();
    Reply(exchange, TextReply(412, *refusal));
    return;
  }
  RememberSender(exchange->request());
  snapshots_.Handle(exchange);
}

void Endpoints::Stream(const Exchange& exchange) {
  if (!AllowMethod(exchange, "GET")) return;
  const HttpRequest& request = exchange->request();
  if (const auto refusal = context_->identity.Refusal(request)) {
    RefuseStream(exchange, 412, *refusal);
    return;
  }
  const std::optional<StreamPath> path = ParseStreamPath(request.path);
  if (!path) {
    RefuseStream(exchange, 404, "invalid path");
    return;
  }
  const std::optional<uint64_t> from = ParseHexId(path->id);
  if (!from) {
    LOG_WARN("failed to parse path into ID", {"local-member-id", HexId(context_->self())},
             {"path", path->id});
    RefuseStream(exchange, 404, "invalid from");
    return;
  }
  AcceptStream(exchange, MemberId(*from), path->kind);
}

void Endpoints::AcceptStream(const Exchange& exchange, MemberId from, StreamKind kind) {
  const std::string local = HexId(context_->self());
  if (context_->handler->IsRemoved(from)) {
    LOG_WARN("rejected stream from remote peer because it was removed", {"local-member-id", local},
             {"remote-peer-id-stream-handler", local}, {"remote-peer-id-from", HexId(from)});
    RefuseStream(exchange, 410, "removed member");
    return;
  }
  const HttpRequest& request = exchange->request();
  if (!registry_->IsPeer(from)) {
    // Of another cluster with the same id, or a member that joined after what is applied here.
    const std::string urls = request.Header("X-PeerURLs");
    if (!urls.empty()) registry_->AddRemoteFromNetwork(from, absl::StrSplit(urls, ','));
    LOG_WARN("failed to find remote peer in cluster", {"local-member-id", local},
             {"remote-peer-id-stream-handler", local}, {"remote-peer-id-from", HexId(from)},
             {"cluster-id", HexId(context_->identity.cluster())});
    RefuseStream(exchange, 404, "error sender not found");
    return;
  }
  if (request.Header("X-Raft-To") != local) {
    LOG_WARN("ignored streaming request; ID mismatch", {"local-member-id", local},
             {"remote-peer-id-stream-handler", local},
             {"remote-peer-id-header", request.Header("X-Raft-To")},
             {"remote-peer-id-from", HexId(from)},
             {"cluster-id", HexId(context_->identity.cluster())});
    RefuseStream(exchange, 412, "to field mismatch");
    return;
  }
  registry_->AttachStream(from, kind, exchange);
}

void Endpoints::RefuseStream(const Exchange& exchange, int status, std::string_view text) const {
  HttpReply reply = TextReply(status, text);
  reply.headers.emplace_back("X-Server-Version", kServerVersion);
  Reply(exchange, std::move(reply));
}

}  // namespace kvorum::server::peer
