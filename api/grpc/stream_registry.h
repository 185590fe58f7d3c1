#pragma once
// The open streams of one queue, so that the member can end them: all when it stops, and those of
// callers that want a leader ("hasleader") when there has been none for three election timeouts.
//
// The list belongs to the polling thread of the queue; StopAll and StartLeaderMonitor may
// be called on any thread and switch to it. Follows the stream side of etcd
// server/etcdserver/api/v3rpc/interceptor.go (monitorLeader).

#include <grpcpp/alarm.h>

#include <boost/intrusive/list.hpp>

#include "api/grpc/call.h"
#include "api/grpc/queue.h"
#include "api/grpc/task.h"
#include "base/clock.h"
#include "server/server.h"

namespace kvorum::api {

// Election timeouts without a leader, seen in a row, before streams are cut.
inline constexpr int kLeaderlessTicks = 3;

class StreamRegistry {
 public:
  // An open stream, for as long as this object lives.
  class Entry : public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
   public:
    Entry(StreamRegistry* registry, StreamCall* call);
    Entry(const Entry&) = delete;
    StreamCall& call() { return *call_; }

   private:
    StreamCall* call_;
  };

  // Both outlive this object.
  StreamRegistry(CallQueue* queue, server::Server* server) : queue_(queue), server_(server) {}

  // Ends every stream, and every later one at once, with `error`. Ends the monitor.
  Detached StopAll(server::Error error);

  Detached StartLeaderMonitor(Duration election_timeout);

 private:
  void StopLeaderless();

  CallQueue* const queue_;
  server::Server* const server_;
  boost::intrusive::list<Entry, boost::intrusive::constant_time_size<false>> streams_;
  server::Error stopped_ = server::Error::kOk;
  grpc::Alarm monitor_alarm_;
};

}  // namespace kvorum::api
