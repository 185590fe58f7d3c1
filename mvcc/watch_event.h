#pragma once
// PreparedEvent: one change of the store on its way to any number of watchers. What they share, the
// bytes of the event and of the previous value, is made once and only if somebody wants it.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "mvcc/mvcc.h"
#include "mvcc/watch_source.h"
#include "mvcc/watchable_store.h"

namespace kvorum::mvcc {

class PreparedEvent {
 public:
  // Both must outlive it. REQUIRES: event.row is canonical (the store wrote it).
  PreparedEvent(const Event& event, const WatchSource& source);

  std::string_view key() const { return view_.key; }
  Revision revision() const { return event_.revision.main; }
  EventType type() const { return event_.type; }

  // The event as a watch sees it. A Status is a fault of the disk.
  StatusOr<WatchEvent> Make(bool with_previous);

 private:
  SharedBytes EncodeDelete() const;
  StatusOr<SharedBytes> ReadPrevious() const;

  const Event& event_;
  const WatchSource& source_;
  KeyValueView view_;
  SharedBytes kv_;                       // set by the first Make
  std::optional<SharedBytes> previous_;  // set by the first Make that wants it
};

}  // namespace kvorum::mvcc
