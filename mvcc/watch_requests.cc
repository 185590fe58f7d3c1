// The requests of streams and progress; see watch_stage.h.

#include <algorithm>

#include "base/check.h"
#include "mvcc/watch_stage.h"

namespace kvorum::mvcc {
namespace {

// etcd's texts, which its clients turn back into errors.
constexpr char kReasonCompacted[] = "etcdserver: mvcc: required revision has been compacted";
constexpr char kReasonEmptyRange[] = "mvcc: watcher range is empty";
constexpr char kReasonDuplicateId[] = "mvcc: duplicate watch ID provided on the WatchStream";

// Why `create` cannot be; empty if it can.
std::string ReasonToRefuse(const WatchStreamCore& stream, const WatchCreate& create) {
  if (create.start_revision < Revision(0)) return kReasonCompacted;
  const KeyRange range{.key = create.key, .end = create.range_end};
  if (!range.single() && !range.unbounded() && create.key >= create.range_end) {
    return kReasonEmptyRange;
  }
  if (create.watch_id != 0 && stream.watchers.contains(create.watch_id)) return kReasonDuplicateId;
  return "";
}

}  // namespace

void WatchStage::HandleRequests(TimePoint now) {
  while (!work_.requests.empty()) {
    const WatchRequest request = std::move(work_.requests.front());
    work_.requests.pop_front();
    WatchStreamCore& stream = *request.stream;
    switch (request.kind) {
      case WatchRequest::Kind::kOpen:
        Open(request.stream, now);
        break;
      case WatchRequest::Kind::kCreate: {
        WatchCreate create = request.create;
        stream.Answer(Create(stream, create));
        break;
      }
      case WatchRequest::Kind::kCancel:
        stream.Answer(Cancel(stream, request.watch_id));
        break;
      case WatchRequest::Kind::kProgress:
        stream.Answer(Progress(stream));
        break;
      case WatchRequest::Kind::kRoom:
        stream.room_signalled.store(false);
        RetryVictims(stream);
        break;
      case WatchRequest::Kind::kClose:
        Close(stream);
        break;
    }
  }
}

void WatchStage::Open(const std::shared_ptr<WatchStreamCore>& stream, TimePoint now) {
  stream->serial = next_serial_++;
  const Duration interval = options_.progress_interval;
  stream->tick_period = interval + Duration(random_->Uniform(interval.count() / 10 + 1));
  stream->next_tick = now + stream->tick_period;
  ticks_[{stream->next_tick, stream->serial}] = stream.get();
  streams_[stream.get()] = stream;
  streams_count_.fetch_add(1);
}

void WatchStage::Close(WatchStreamCore& stream) {
  victims_ -= static_cast<int64_t>(stream.victims.size());
  for (Watcher* victim : std::exchange(stream.victims, {})) victim->state = WatcherState::kGone;
  for (auto& [id, watcher] : stream.watchers) RemoveFromGroups(*watcher);
  watchers_count_.fetch_sub(static_cast<int64_t>(stream.watchers.size()));
  stream.watchers.clear();
  ticks_.erase({stream.next_tick, stream.serial});
  streams_count_.fetch_sub(1);
  streams_.erase(&stream);
}

WatchResponse WatchStage::Create(WatchStreamCore& stream, WatchCreate& create) {
  const Revision current = source_->current_revision();
  if (create.key.empty()) create.key.assign(1, '\0');
  if (std::string reason = ReasonToRefuse(stream, create); !reason.empty()) {
    return {.watch_id = kInvalidWatchId,
            .revision = current,
            .created = true,
            .canceled = true,
            .cancel_reason = std::move(reason)};
  }
  auto watcher = std::make_unique<Watcher>();
  watcher->stream = &stream;
  watcher->id = create.watch_id != 0 ? create.watch_id : stream.TakeAutoId();
  watcher->serial = next_serial_++;
  watcher->key = std::move(create.key);
  watcher->range_end = std::move(create.range_end);
  watcher->no_put = create.no_put;
  watcher->no_delete = create.no_delete;
  watcher->prev_kv = create.prev_kv;
  watcher->progress_notify = create.progress_notify;
  watcher->fragment = create.fragment;
  const bool from_now = create.start_revision == Revision(0);
  // The store may be ahead of what was delivered. Starting at the store's revision keeps a client
  // from being sent a write it has seen acknowledged.
  CHECK_GE(current, delivered_revision()) << "events were published before they were visible";
  watcher->min_revision = from_now ? current + 1 : create.start_revision;
  watcher->progress_from = from_now ? current : create.start_revision;
  Place(*watcher);

  const int64_t id = watcher->id;
  const bool inserted = stream.watchers.emplace(id, std::move(watcher)).second;
  CHECK(inserted);
  watchers_count_.fetch_add(1);
  return {.watch_id = id, .revision = current, .created = true};
}

std::optional<WatchResponse> WatchStage::Cancel(WatchStreamCore& stream, int64_t watch_id) {
  auto it = stream.watchers.find(watch_id);
  if (it == stream.watchers.end()) return std::nullopt;
  RemoveFromGroups(*it->second);
  stream.watchers.erase(it);
  watchers_count_.fetch_sub(1);
  return WatchResponse{
      .watch_id = watch_id, .revision = source_->current_revision(), .canceled = true};
}

// True if everything up to the delivered revision was pushed and that revision is one the watch has
// reached: not below its created header, not below the future revision it waits for.
bool WatchStage::KnowsProgress(const Watcher& watcher) const {
  return watcher.state == WatcherState::kSynced && delivered_revision() >= watcher.progress_from;
}

std::optional<WatchResponse> WatchStage::Progress(const WatchStreamCore& stream) const {
  if (stream.watchers.empty()) return std::nullopt;
  for (const auto& [id, watcher] : stream.watchers) {
    if (!KnowsProgress(*watcher)) return std::nullopt;
  }
  return WatchResponse{.watch_id = kInvalidWatchId, .revision = delivered_revision()};
}

void WatchStage::Tick(TimePoint now) {
  while (!ticks_.empty() && ticks_.begin()->first.first <= now) {
    WatchStreamCore& stream = *ticks_.begin()->second;
    ticks_.erase(ticks_.begin());
    SendProgress(stream);
    // Ticks that were missed are not made up for.
    stream.next_tick = std::max(stream.next_tick, now - stream.tick_period) + stream.tick_period;
    ticks_[{stream.next_tick, stream.serial}] = &stream;
  }
}

void WatchStage::SendProgress(WatchStreamCore& stream) {
  for (auto& [id, watcher] : stream.watchers) {
    if (!watcher->progress_notify) continue;
    const bool quiet = std::exchange(watcher->quiet, true);
    if (!quiet || !KnowsProgress(*watcher)) continue;
    // A full queue drops it: who has that much to read needs no sign of life.
    (void)stream.TrySend({.watch_id = id, .revision = delivered_revision()});
  }
}

}  // namespace kvorum::mvcc
