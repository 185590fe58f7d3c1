#pragma once
// WatchableStore: the watch stage. It turns the store's event batches into responses of watches.
//
// Input: the batches of rows that the apply stage made visible, in revision order, with compactions
// and store swaps at their place between them (the store's EventSink), and the requests of streams.
// Output: WatchResponses, pushed into each stream's WatchSink. The stage is an object: Step(now)
// does a bounded piece of work on whatever thread calls it (one at a time); the shell is
//
//   while (!stopping) watch.Wait(*watch.Step(clock.Now()));
//
// Every watch is in one of three groups, named as in etcd:
//   synced    has been given every event up to the delivered revision; fed from the batches.
//   unsynced  is behind; reads rows from the store, many watches sharing one scan, until even.
//   victim    its sink was full; holds at most one response, tried again when the sink has
//             room, then goes to unsynced or synced.
//
// Invariants:
//   1. A watch is sent the events it asked for in revision order, none twice, none missing,
//      until it is cancelled. All its events of one revision are in one response.
//   2. The created answer comes before any event of that watch.
//   3. A progress answer carries R only if every event <= R of the watches it speaks for was
//      pushed before it. R is the stage's delivered revision, never the store's.
//   4. A synced watch is not cancelled by a compaction, however far this stage is behind the store:
//      compactions take effect here in queue order, and what they purge waits for it (the caller
//      holds back the Compactor until compacted_revision() has passed).
//   5. The apply stage never waits for this one. When the event queue is over its byte bound,
//      batches are dropped and only their revisions remembered; when their turn comes the stage
//      reads the rows back from the store, one scan for all synced watches.
//
// Threads: Attach and Publish on the apply thread; NewStream, WatchStream's methods, Wake and the
// accessors on any thread; Step and Wait on the stage's thread.
//
// Left out: permission checks (api/ asks before Create), splitting into fragments (api/ encodes).
//
// Follows etcd server/storage/mvcc/watchable_store.go, watcher.go, watcher_group.go and
// server/etcdserver/api/v3rpc/watch.go.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/status.h"
#include "base/types.h"
#include "mvcc/mvcc.h"
#include "mvcc/watch_source.h"

namespace kvorum::mvcc {

// A response never holds more distinct revisions than this (etcd's watchBatchMaxRevs) ..
inline constexpr int kMaxRevisionsPerWatchResponse = 1000;
// .. and is cut at the next revision once its events are larger than this.
inline constexpr int64_t kMaxWatchResponseBytes = 8 << 20;
// Watches that share one catch-up scan (etcd's maxWatchersPerSync).
inline constexpr int kMaxWatchersPerScan = 512;
// watch_id of failed creates and of answers to manual progress requests.
inline constexpr int64_t kInvalidWatchId = -1;

struct WatchCreate {
  std::string key;          // empty: the key "\0", as etcd has it
  std::string range_end;    // empty: the single key; "\0": everything from `key`
  Revision start_revision;  // 0: from the store's revision at creation + 1
  int64_t watch_id = 0;     // 0: the stage chooses
  bool no_put = false;      // filter NOPUT
  bool no_delete = false;   // filter NODELETE
  bool prev_kv = false;
  bool progress_notify = false;
  bool fragment = false;
};

struct WatchEvent {
  bool is_delete = false;
  SharedBytes kv;       // encoded mvccpb.KeyValue; of a delete: key and mod_revision only
  SharedBytes prev_kv;  // encoded mvccpb.KeyValue; empty: none asked for, none there, or compacted
};

struct WatchResponse {
  int64_t watch_id = 0;
  Revision revision;  // for the header; 0 in a cancel by compaction
  bool created = false;
  bool canceled = false;
  Revision compact_revision;  // > 0: cancelled because this compaction took what it needed
  std::string cancel_reason;
  bool may_fragment = false;  // the watch asked for fragments: api/ may split this response
  std::vector<WatchEvent> events;

  // What it costs in a queue.
  int64_t ByteSize() const;
};

// Where one stream's responses go; implemented by api/ as a queue bounded in responses (128) and in
// bytes. The stage calls it on its own thread with a leaf lock of the stream held: implementations
// only queue and signal, and never call back into their WatchStream.
class WatchSink {
 public:
  virtual ~WatchSink() = default;

  // An event, progress or cancelled-by-compaction response. False, with `response` untouched, when
  // the queue is full; then the sink calls WatchStream::OnRoom() once it is at most half full. An
  // empty queue takes a response of any size.
  virtual bool TrySend(WatchResponse&& response) = 0;

  // The outcome of a request: exactly one call for each Create, Cancel and RequestProgress, in
  // their order; nullopt when there is nothing to send (unknown id, progress not known). Goes into
  // the same queue behind what TrySend put there and is never refused: the sink's owner bounds it
  // by not reading further requests from its client while more than a few (etcd: 16) are
  // unanswered.
  virtual void Answer(std::optional<WatchResponse> response) = 0;
};

// One client stream: a name space of watch ids and a sink. Thread-safe. Requests take effect on the
// stage, in order.
//
// Destroying it ends all its watches. Once the destructor has returned the sink is not touched
// again: every use of the sink happens under a mutex of the stream, which the destructor takes to
// clear the pointer. It may wait for one running TrySend or Answer, for nothing longer.
class WatchStream {
 public:
  virtual ~WatchStream() = default;

  // Answered with `created` and the id; or, for a negative start_revision, an empty range or an id
  // in use, with created, canceled, watch_id -1 and etcd's text in cancel_reason.
  virtual void Create(WatchCreate create) = 0;
  // Answered with `canceled`, or not at all (nullopt) for an unknown id. No event of the watch
  // follows.
  virtual void Cancel(int64_t watch_id) = 0;
  // Answered with watch_id -1 and the delivered revision if every watch of the stream (there must
  // be one) has been given everything up to it, else with nullopt.
  virtual void RequestProgress() = 0;

  // From the sink: there is room again after TrySend said no.
  virtual void OnRoom() = 0;
};

struct WatchOptions {
  // Batches waiting for the stage, beyond which they are dropped (invariant 5).
  int64_t event_queue_bytes = 64 << 20;
  // Mean time between progress responses of watches with progress_notify; each stream adds up to a
  // tenth of it.
  Duration progress_interval = std::chrono::minutes(10);
};

struct WatchStats {
  int64_t streams = 0;
  int64_t watchers = 0;
  int64_t slow_watchers = 0;  // unsynced and victims
  int64_t events_sent = 0;
  int64_t batches_dropped = 0;
};

class WatchableStore : public EventSink {
 public:
  // `random` spreads the progress tickers; only the stage's thread uses it. It must outlive the
  // stage, as the stage must outlive its streams. Give the object to the store as its EventSink,
  // then the store to Attach.
  static std::unique_ptr<WatchableStore> New(Random* random, const WatchOptions& options = {});

  // The store to read: its current revision, rows for catch-up, previous values. Requests of
  // streams wait for the first Attach. A further one (a snapshot was installed) takes its place
  // between the batches: watches that need revisions of the new store become unsynced and read
  // them there.
  virtual void Attach(std::shared_ptr<const WatchSource> source) = 0;

  // `sink` must outlive the stream.
  virtual std::unique_ptr<WatchStream> NewStream(WatchSink* sink) = 0;

  // Does a bounded piece of work. Returns when to call again: `now` if there is more to do, the
  // next progress tick, or TimePoint::max(). A Status is the disk's: this member must stop.
  virtual StatusOr<TimePoint> Step(TimePoint now) = 0;
  // Blocks until there is input, Wake() was called or `deadline` (of the machine's steady clock)
  // has passed.
  virtual void Wait(TimePoint deadline) = 0;
  // Makes the running or next Wait return.
  virtual void Wake() = 0;

  // Every event up to here has been pushed to the synced watches.
  virtual Revision delivered_revision() const = 0;
  // The last compaction whose turn has come here.
  virtual Revision compacted_revision() const = 0;
  virtual WatchStats stats() const = 0;
};

}  // namespace kvorum::mvcc
