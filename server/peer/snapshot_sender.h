#pragma once
// SnapshotSenders: databases on their way to other members, each with a thread of its own, on which
// its source may block. At most kMaxOutgoingSnapshots; each is reported once to the handler, given
// up ones, too, unless the transport stops.
//
// Threads: any. Follows etcd rafthttp/snapshot_sender.go.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <atomic>
#include <list>
#include <memory>
#include <thread>

#include "raft/types.h"
#include "server/peer/handler.h"
#include "server/peer/io_loop.h"
#include "server/peer/peer_context.h"
#include "server/peer/peer_status.h"
#include "server/peer/url_picker.h"

namespace kvorum::server::peer {

class SnapshotSenders {
 public:
  explicit SnapshotSenders(const PeerContext* context) : context_(context) {}
  ~SnapshotSenders();  // Stop()

  struct Job {
    raft::Message message;
    std::unique_ptr<SnapshotSource> source;
    std::shared_ptr<UrlPicker> picker;
    std::shared_ptr<PeerStatus> status;
  };
  // False: there are too many, or this was stopped; nothing was reported.
  bool Start(Job job);
  // Gives up what goes to `peer`; does not wait.
  void Cancel(MemberId peer);
  // Gives up all and joins: a source's Read that is under way is waited for.
  void Stop();

 private:
  struct Task {
    MemberId to;
    std::shared_ptr<IoLoop> loop;
    std::atomic<bool> done = false;
    std::thread thread;
  };
  void JoinFinished() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const PeerContext* const context_;
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::list<Task> tasks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace kvorum::server::peer
