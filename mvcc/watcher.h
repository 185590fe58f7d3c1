#pragma once
// Watcher: one watch as the stage knows it. Owned by its stream; the stage's thread only.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/types.h"
#include "mvcc/mvcc.h"
#include "mvcc/watchable_store.h"

namespace kvorum::mvcc {

struct WatchStreamCore;

// Where a watcher is. All moves happen in WatchStage.
enum class WatcherState {
  kSynced,    // entered at creation, after catch-up and from kVictim when nothing is missing
  kUnsynced,  // entered at creation, by Attach and from kVictim when revisions are missing
  kVictim,    // entered when the sink said no, or from kUnsynced when it did so to a sibling; left
              // when the held response was taken
  kGone,      // cancelled by compaction and told so: only its id is still taken
};

struct Watcher {
  // Constant after creation.
  WatchStreamCore* stream = nullptr;
  int64_t id = 0;
  uint64_t serial = 0;  // unique in the stage; breaks ties in the unsynced order
  std::string key;
  std::string range_end;  // as KeyRange::end
  bool no_put = false;
  bool no_delete = false;
  bool prev_kv = false;
  bool progress_notify = false;
  bool fragment = false;
  // No progress below this: the revision of the created header, or the start that was asked for.
  Revision progress_from;

  WatcherState state = WatcherState::kUnsynced;
  // The next revision it needs: everything below was sent, is held in `held`, or does not concern
  // it.
  Revision min_revision;
  // No event since the last progress tick.
  bool quiet = true;
  // Of a victim: what the sink refused; null of one that only waits for room.
  std::unique_ptr<WatchResponse> held;

  // Scratch of one delivery: what is being collected for the next response.
  std::vector<WatchEvent> collected;
  int collected_revisions = 0;
  int64_t collected_bytes = 0;
  Revision collected_last;
  // Set when the response is full: where the next one goes on.
  Revision more_from;

  // Its place in the WatcherGroup that holds it.
  std::vector<Watcher*>* siblings = nullptr;
  size_t slot = 0;

  KeyRange range() const { return {.key = key, .end = range_end}; }
  bool Wants(EventType type) const { return type == EventType::kPut ? !no_put : !no_delete; }
};

}  // namespace kvorum::mvcc
