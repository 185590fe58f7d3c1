#pragma once
// ReadEpochs: lets a compaction wait for the reads that began before it.
//
// A read enters the current epoch and leaves it when its guard dies. A compaction is applied, then
// advances the epoch; what it makes superfluous may be removed once no read of an older epoch is
// left.
//
//   read A enters 0 | compaction advances to 1 | read B enters 1 | QuietBefore(1) is false, A is
//   inside A leaves: QuietBefore(1) is true, B does not matter: it knows of the compaction

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <map>

namespace kvorum::mvcc {

// Thread-safe.
class ReadEpochs {
 public:
  // Keeps its epoch occupied for as long as it lives. Movable; must not outlive the ReadEpochs.
  class Guard {
   public:
    Guard() = default;
    Guard(Guard&& other) noexcept : epochs_(other.epochs_), epoch_(other.epoch_) {
      other.epochs_ = nullptr;
    }
    Guard& operator=(Guard&& other) noexcept;
    ~Guard() { Release(); }
    void Release();

   private:
    friend class ReadEpochs;
    Guard(ReadEpochs* epochs, int64_t epoch) : epochs_(epochs), epoch_(epoch) {}
    ReadEpochs* epochs_ = nullptr;
    int64_t epoch_ = 0;
  };

  // To be called before the read looks at the compacted revision.
  Guard Enter();
  // Starts a new epoch and returns it. To be called after the compacted revision was raised.
  int64_t Advance();
  // Reads that have not ended.
  int64_t open() const;
  // Whether all reads of epochs below `epoch` have ended.
  bool QuietBefore(int64_t epoch) const;

 private:
  void Leave(int64_t epoch);

  mutable absl::Mutex mutex_;
  int64_t current_ ABSL_GUARDED_BY(mutex_) = 0;
  // Reads inside, by epoch; no zero counts.
  std::map<int64_t, int64_t> inside_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace kvorum::mvcc
