// Collecting, sending, victims and catch-up; see watch_stage.h.

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "mvcc/watch_stage.h"

namespace kvorum::mvcc {
namespace {

// Rows read by one catch-up scan; watchers share them.
constexpr int64_t kScanBytes = 4 << 20;
// Behind every watcher in the unsynced order.
constexpr std::pair<Revision, uint64_t> kEndOfSweep = {
    Revision(std::numeric_limits<int64_t>::max()), 0};

}  // namespace

// Hands every event of `batch` to the watchers of `group` that want it; they end up in touched_.
Status WatchStage::Collect(const EventBatch& batch, WatcherGroup& group) {
  Status status;
  for (const Event& event : batch.events) {
    PreparedEvent prepared(event, *source_);
    group.ForEachMatching(prepared.key(), [&](Watcher& watcher) {
      if (status.ok()) status = CollectOne(prepared, watcher);
    });
    RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

Status WatchStage::CollectOne(PreparedEvent& event, Watcher& watcher) {
  const Revision revision = event.revision();
  if (revision < watcher.min_revision || watcher.more_from != Revision(0)) return absl::OkStatus();
  if (!watcher.Wants(event.type())) return absl::OkStatus();
  if (watcher.collected.empty()) touched_.push_back(&watcher);
  if (watcher.collected.empty() || revision != watcher.collected_last) {
    // A new revision: the only place where a response may end.
    if (watcher.collected_revisions >= kMaxRevisionsPerWatchResponse ||
        watcher.collected_bytes >= kMaxWatchResponseBytes) {
      watcher.more_from = revision;
      return absl::OkStatus();
    }
    ++watcher.collected_revisions;
    watcher.collected_last = revision;
  }
  ASSIGN_OR_RETURN(WatchEvent made, event.Make(watcher.prev_kv));
  watcher.collected_bytes += static_cast<int64_t>(made.kv.size() + made.prev_kv.size());
  watcher.collected.push_back(std::move(made));
  return absl::OkStatus();
}

void WatchStage::SendCollected(Watcher& watcher, Revision header) {
  WatchResponse response{.watch_id = watcher.id,
                         .revision = header,
                         .may_fragment = watcher.fragment,
                         .events = std::exchange(watcher.collected, {})};
  watcher.collected_revisions = 0;
  watcher.collected_bytes = 0;
  watcher.more_from = Revision(0);
  SendOrHold(watcher, std::move(response));
}

// After this the watcher is a victim if its sink was full. REQUIRES: min_revision is behind what
// the response tells.
void WatchStage::SendOrHold(Watcher& watcher, WatchResponse&& response) {
  const int64_t events = static_cast<int64_t>(response.events.size());
  if (watcher.stream->TrySend(std::move(response))) {
    if (events > 0) watcher.quiet = false;
    events_sent_.fetch_add(events, std::memory_order_relaxed);
    return;
  }
  watcher.held = std::make_unique<WatchResponse>(std::move(response));
  // Sent later, it must not claim more than this watch has seen by then.
  if (!watcher.held->canceled) watcher.held->revision = watcher.min_revision - 1;
  watcher.state = WatcherState::kVictim;
  watcher.stream->victims.push_back(&watcher);
  ++victims_;
}

// The stream's sink has room: sends what was held, until it says no again.
void WatchStage::RetryVictims(WatchStreamCore& stream) {
  std::vector<Watcher*> victims = std::exchange(stream.victims, {});
  victims_ -= static_cast<int64_t>(victims.size());
  for (Watcher* watcher : victims) {
    if (watcher->held == nullptr) {
      Unpark(*watcher);
      continue;
    }
    const bool cancel = watcher->held->canceled;
    watcher->state = cancel ? WatcherState::kGone : WatcherState::kUnsynced;
    std::unique_ptr<WatchResponse> held = std::move(watcher->held);
    SendOrHold(*watcher, std::move(*held));
    if (watcher->state == WatcherState::kUnsynced) Place(*watcher);
  }
}

// An unsynced watcher whose stream is full anyway: reading for it would only fill memory.
void WatchStage::Park(Watcher& watcher) {
  watcher.state = WatcherState::kVictim;
  watcher.stream->victims.push_back(&watcher);
  ++victims_;
}

void WatchStage::Unpark(Watcher& watcher) {
  if (watcher.stream->victims.empty()) {
    Place(watcher);
  } else {
    Park(watcher);
  }
}

// Into the group where it belongs. REQUIRES: in none.
void WatchStage::Place(Watcher& watcher) {
  const Revision compacted = std::max(compacted_revision(), source_->compacted_revision());
  const bool needs_store =
      watcher.min_revision <= delivered_revision() || watcher.min_revision < compacted;
  if (needs_store) {
    watcher.state = WatcherState::kUnsynced;
    unsynced_.insert(&watcher);
  } else {
    watcher.state = WatcherState::kSynced;
    synced_.Add(&watcher);
  }
}

void WatchStage::RemoveFromGroups(Watcher& watcher) {
  switch (watcher.state) {
    case WatcherState::kSynced:
      synced_.Remove(&watcher);
      break;
    case WatcherState::kUnsynced:
      unsynced_.erase(&watcher);
      break;
    case WatcherState::kVictim:
      std::erase(watcher.stream->victims, &watcher);
      --victims_;
      break;
    case WatcherState::kGone:
      break;
  }
}

// One scan for some of the unsynced watchers.
Status WatchStage::CatchUp() {
  CancelCompacted();
  if (unsynced_.empty()) return absl::OkStatus();
  const std::vector<Watcher*> chosen = ChooseForScan();
  if (chosen.empty()) return absl::OkStatus();
  CHECK_LE(chosen.front()->min_revision, delivered_revision());
  ASSIGN_OR_RETURN(ReadEventsResult read,
                   source_->ReadEvents(chosen.front()->min_revision, delivered_revision(),
                                       kScanBytes, std::nullopt));
  // A compaction came in between: cancelled by the next call.
  if (read.error != Error::kNone) return absl::OkStatus();

  WatcherGroup group;
  for (Watcher* watcher : chosen) group.Add(watcher);
  for (const EventBatch& batch : read.batches) RETURN_IF_ERROR(Collect(batch, group));
  for (Watcher* watcher : chosen) group.Remove(watcher);
  touched_.clear();
  FinishScan(chosen, read.next - 1);
  return absl::OkStatus();
}

void WatchStage::CancelCompacted() {
  const Revision compacted = std::max(compacted_revision(), source_->compacted_revision());
  while (!unsynced_.empty() && (*unsynced_.begin())->min_revision < compacted) {
    Watcher& watcher = **unsynced_.begin();
    unsynced_.erase(unsynced_.begin());
    watcher.state = WatcherState::kGone;
    SendOrHold(watcher, {.watch_id = watcher.id, .canceled = true, .compact_revision = compacted});
  }
}

// Sweeps from old to new needs and starts over at the end, so that a watch far behind is not
// overtaken for ever by others, nor holds them up.
std::vector<Watcher*> WatchStage::ChooseForScan() {
  auto it = unsynced_.lower_bound(scan_cursor_);
  if (it == unsynced_.end()) it = unsynced_.begin();
  std::vector<Watcher*> chosen;
  while (it != unsynced_.end() && chosen.size() < kMaxWatchersPerScan) {
    if ((*it)->stream->victims.empty()) {
      chosen.push_back(*it++);
    } else {
      Park(**it);
      it = unsynced_.erase(it);
    }
  }
  scan_cursor_ = it == unsynced_.end() ? kEndOfSweep : ByNeed::Of(*it);
  return chosen;
}

// `chosen` have collected what concerns them up to the revision `scanned`.
void WatchStage::FinishScan(const std::vector<Watcher*>& chosen, Revision scanned) {
  scan_cursor_ = std::min(scan_cursor_, ByNeed::Place(scanned + 1, 0));
  for (Watcher* watcher : chosen) {
    if (watcher->min_revision > scanned) continue;  // its turn comes
    unsynced_.erase(watcher);
    watcher->min_revision = watcher->more_from != Revision(0) ? watcher->more_from : scanned + 1;
    if (!watcher->collected.empty()) SendCollected(*watcher, delivered_revision());
    if (watcher->state == WatcherState::kUnsynced) Place(*watcher);
  }
}

}  // namespace kvorum::mvcc
