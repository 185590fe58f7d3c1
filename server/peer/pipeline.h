#pragma once
// Pipeline: messages to one member by POST, a few at a time, in no order. For members to whom no
// stream is there.
//
// Threads: Push any, the rest on the dial loop. Follows etcd rafthttp/pipeline.go.

#include <cstdint>
#include <map>
#include <memory>

#include "raft/types.h"
#include "server/peer/message_queue.h"
#include "server/peer/peer_context.h"
#include "server/peer/peer_status.h"
#include "server/peer/url_picker.h"

namespace kvorum::server::peer {

class Pipeline : public std::enable_shared_from_this<Pipeline> {
 public:
  // The status and the picker are those of the member.
  Pipeline(const PeerContext* context, MemberId to, std::shared_ptr<UrlPicker> picker,
           std::shared_ptr<PeerStatus> status);

  // False, with `message` untouched: the queue is full, or the pipeline was stopped.
  bool Push(raft::Message&& message);
  // What is queued or under way is given up, without a report.
  void Stop();

 private:
  struct Sending;
  void Pump();
  void Post(raft::Message message);
  void OnReply(const Sending& sending, StatusOr<HttpReply> reply);

  const PeerContext* const context_;
  const MemberId to_;
  const std::shared_ptr<UrlPicker> picker_;
  const std::shared_ptr<PeerStatus> status_;
  MessageQueue queue_{kPipelineQueueMessages, kPipelineQueueBytes};
  int workers_ = 0;  // requests under way
  uint64_t next_request_ = 0;
  std::map<uint64_t, std::weak_ptr<Closable>> requests_;
  bool stopped_ = false;
};

}  // namespace kvorum::server::peer
