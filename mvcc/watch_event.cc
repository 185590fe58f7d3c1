#include "mvcc/watch_event.h"

#include "base/check.h"

namespace kvorum::mvcc {

PreparedEvent::PreparedEvent(const Event& event, const WatchSource& source)
    : event_(event), source_(source) {
  std::optional<KeyValueView> view = KeyValueView::Parse(event.row.view());
  CHECK(view.has_value()) << "row of revision " << event.revision << " is not a KeyValue";
  view_ = *view;
}

StatusOr<WatchEvent> PreparedEvent::Make(bool with_previous) {
  if (kv_.empty()) kv_ = type() == EventType::kPut ? event_.row : EncodeDelete();
  if (with_previous && !previous_) {
    ASSIGN_OR_RETURN(previous_, ReadPrevious());
  }
  return WatchEvent{.is_delete = type() == EventType::kDelete,
                    .kv = kv_,
                    .prev_kv = with_previous ? *previous_ : SharedBytes()};
}

// A tombstone's row has no revision; its event has.
SharedBytes PreparedEvent::EncodeDelete() const {
  return SharedBytes(KeyValueView{.key = view_.key, .mod_revision = revision()}.Encode());
}

StatusOr<SharedBytes> PreparedEvent::ReadPrevious() const {
  if (type() == EventType::kPut && view_.create_revision == revision()) return SharedBytes();
  std::optional<Row> row;
  if (event_.previous && event_.previous->main < revision()) {
    if (!event_.previous_row.empty()) return event_.previous_row;
    ASSIGN_OR_RETURN(row, source_.ReadRow(*event_.previous));
  } else {
    ASSIGN_OR_RETURN(row, source_.ReadKeyAt(view_.key, revision() - 1));
  }
  return row ? row->bytes : SharedBytes();
}

}  // namespace kvorum::mvcc
