#include "server/own_snapshot.h"

#include <algorithm>
#include <utility>

#include "server/fatal.h"
#include "server/membership/v2_store_json.h"

namespace kvorum::server {

OwnSnapshots::OwnSnapshots(uint64_t every, Index last, const StoreSlot& store,
                           const Membership& membership,
                           std::function<void(WalStage::OwnSnapshot)> save)
    : every_(every), store_(store), membership_(membership), save_(std::move(save)), last_(last) {}

void OwnSnapshots::OnCommitted(Index applied, Term term) {
  if (pending_ || applied.value() <= last_.value() + every_) return;
  LOG_INFO("triggering snapshot", {"local-member-id", HexId(membership_.self())},
           {"local-member-applied-index", applied.value()},
           {"local-member-snapshot-index", last_.value()}, {"local-member-snapshot-count", every_});
  pending_.emplace();
  raftpb::SnapshotMetadata* const metadata = pending_->mutable_metadata();
  metadata->set_index(applied.value());
  metadata->set_term(term.value());
  *metadata->mutable_conf_state() = membership_.conf_state();
  pending_->set_data(V2StoreJson(membership_));
  const Status status = store_->backend().RequestFlush();
  if (absl::IsResourceExhausted(status)) {
    pending_.reset();  // the next batch tries again
    return;
  }
  if (!status.ok()) Fatal("failed to flush the store", {{"error", status}});
  OnFlushed();  // nothing may have been left to write
}

void OwnSnapshots::OnFlushed() {
  if (!pending_) return;
  const StatusOr<Index> flushed = store_->backend().FlushedIndex();
  if (absl::IsResourceExhausted(flushed.status())) return;
  if (!flushed.ok()) Fatal("failed to flush the store", {{"error", flushed.status()}});
  const Index index(pending_->metadata().index());
  if (*flushed < index) return;
  last_ = index;
  // The store is ahead of the snapshot, so the snapshot is what bounds the release.
  save_({.snapshot = *std::exchange(pending_, std::nullopt), .release_to = index});
}

void OwnSnapshots::OnInstalled(Index index) {
  pending_.reset();
  last_ = index;
}

}  // namespace kvorum::server
