#pragma once
// StreamReader: one kind of stream from one peer: dials it, reads messages until the connection
// fails, and dials again, at most once in a redial interval.
//
// A stream that is silent for the io timeout is given up; its writer sends heartbeats three times
// as often. Messages read from one connection reach the handler in order.
//
// Threads: the dial loop; SetPaused any. Follows etcd rafthttp/stream.go.

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "raft/types.h"
#include "server/peer/client_connection.h"
#include "server/peer/io_loop.h"
#include "server/peer/peer_context.h"
#include "server/peer/peer_status.h"
#include "server/peer/stream_codec.h"
#include "server/peer/url_picker.h"

namespace kvorum::server::peer {

class StreamReader : public std::enable_shared_from_this<StreamReader> {
 public:
  StreamReader(const PeerContext* context, MemberId from, StreamKind kind,
               std::shared_ptr<UrlPicker> picker, std::shared_ptr<PeerStatus> status);

  void Start();
  // No message reaches the handler after this.
  void Stop();
  // What is read meanwhile is dropped.
  void SetPaused(bool paused) { paused_ = paused; }

 private:
  void Dial();
  void SendRequest();
  void OnHead(const Status& status);
  // A refusal; its text was read if it matters.
  void Refused(int http_status, std::string text);
  void ReadRefusal(std::string so_far);
  void Read();
  void OnPiece(const StatusOr<std::string>& piece);
  void Receive(raft::Message message);
  void DialFailed(std::string_view reason);
  void Lost(const Status& status);
  void Redial();

  const PeerContext* const context_;
  const MemberId from_;
  const StreamKind kind_;
  const std::shared_ptr<UrlPicker> picker_;
  const std::shared_ptr<PeerStatus> status_;
  std::atomic<bool> paused_ = false;

  PeerUrl url_;  // being used
  std::shared_ptr<ClientConnection> connection_;
  std::unique_ptr<StreamDecoder> decoder_;
  std::vector<raft::Message> messages_;  // decoded, not handed on yet
  TimePoint next_dial_;
  Timer redial_;
  bool stopped_ = false;
};

}  // namespace kvorum::server::peer
