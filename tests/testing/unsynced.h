#pragma once
// What a file and a directory are between two syncs: an image that programs see, one that survives
// a power loss, and in order the changes that lead from the second to the first. The building
// blocks of FaultEnv; not thread-safe.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "tests/testing/sparse_image.h"

namespace kvorum {

// What becomes of changes that no sync covered when the power goes.
enum class Unsynced {
  kLost,         // none reached the disk
  kPrefixKept,   // a random number of the oldest did, of the next one a random number of bytes
  kSectorsKept,  // of each write a random subset of its 512-byte sectors did, whatever the order
};

class UnsyncedFile {
 public:
  static constexpr uint64_t kSectorBytes = 512;

  uint64_t size() const { return current_.size(); }
  size_t Read(uint64_t offset, std::span<char> out) const { return current_.Read(offset, out); }
  void Write(uint64_t offset, std::string_view bytes);
  void Resize(uint64_t size);

  void Sync();
  // What the kernel does when writing back fails: the pages stay readable but count as clean, so a
  // later successful Sync does not make them durable.
  void FailSync();
  void LosePower(Unsynced unsynced, Random* random);

  // What is left if all unsynced changes are lost.
  std::string DurableContents() const;
  // Memory, roughly.
  uint64_t allocated_bytes() const;

 private:
  struct Change {
    uint64_t offset = 0;
    std::string bytes;
    std::optional<uint64_t> resized_to;  // then it is no write
  };

  void Forget();
  void KeepPrefix(Random* random);
  void KeepSectors(Random* random);

  SparseImage current_;
  SparseImage durable_;
  std::vector<Change> changes_;      // since the last sync, oldest first
  std::set<uint64_t> dirty_pages_;   // pages in which current_ and durable_ may differ...
  uint64_t shrunk_to_ = UINT64_MAX;  // ...and beyond this size all of them
};

// Entries are shared pointers to whatever the tree is made of.
template <typename Node>
class UnsyncedDirectory {
 public:
  using Entries = std::map<std::string, std::shared_ptr<Node>, std::less<>>;
  // One atomic change: a name gets a node, or goes when the node is null.
  using Change = std::vector<std::pair<std::string, std::shared_ptr<Node>>>;

  const Entries& current() const { return current_; }
  const Entries& durable() const { return durable_; }
  std::shared_ptr<Node> Find(std::string_view name) const {
    const auto it = current_.find(name);
    return it == current_.end() ? nullptr : it->second;
  }

  void Apply(Change change) {
    ApplyTo(&current_, change);
    changes_.push_back(std::move(change));
  }
  void Sync() {
    for (const Change& change : changes_) ApplyTo(&durable_, change);
    changes_.clear();
  }
  void FailSync() { changes_.clear(); }
  // Names have no sectors: kSectorsKept keeps a prefix too. A file system with a journal never
  // reorders them within a directory.
  void LosePower(Unsynced unsynced, Random* random) {
    if (unsynced != Unsynced::kLost) {
      const uint64_t kept = random->Uniform(changes_.size() + 1);
      for (uint64_t i = 0; i < kept; ++i) ApplyTo(&durable_, changes_[i]);
    }
    changes_.clear();
    current_ = durable_;
  }

 private:
  static void ApplyTo(Entries* entries, const Change& change) {
    for (const auto& [name, node] : change) {
      if (node == nullptr) {
        entries->erase(name);
      } else {
        (*entries)[name] = node;
      }
    }
  }

  Entries current_;
  Entries durable_;
  std::vector<Change> changes_;  // since the last sync, oldest first
};

}  // namespace kvorum
