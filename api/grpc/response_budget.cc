#include "api/grpc/response_budget.h"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <sys/mman.h>

#include <utility>

#include "base/check.h"

namespace kvorum::api {
namespace {

constexpr size_t kPagesFromBytes = 128 << 10;

}  // namespace

struct ResponseBudget::Held {
  explicit Held(int64_t capacity) : capacity_bytes(capacity) {}

  const int64_t capacity_bytes;
  absl::Mutex mutex;
  int64_t bytes ABSL_GUARDED_BY(mutex) = 0;
  // The list that may exceed the bound; taken until less is held, though its maker may be gone.
  bool beyond_taken ABSL_GUARDED_BY(mutex) = false;
  const Maker* beyond ABSL_GUARDED_BY(mutex) = nullptr;
};

// Bytes charged for as long as this lives.
class ResponseBudget::Charge {
 public:
  Charge(std::shared_ptr<Held> held, size_t bytes)
      : held_(std::move(held)), bytes_(static_cast<int64_t>(bytes)) {
    absl::MutexLock lock(&held_->mutex);
    held_->bytes += bytes_;
  }
  Charge(const Charge&) = delete;
  ~Charge() {
    absl::MutexLock lock(&held_->mutex);
    held_->bytes -= bytes_;
    if (held_->bytes < held_->capacity_bytes && held_->beyond == nullptr) {
      held_->beyond_taken = false;
    }
  }

 private:
  const std::shared_ptr<Held> held_;
  const int64_t bytes_;
};

// In pages of its own where that is worth while: the allocator would keep what a large list took.
struct ResponseBudget::OwnedSlice {
  OwnedSlice(std::shared_ptr<Held> held, size_t size)
      : charge(std::move(held), size), size(size), bytes(Allocate(size)) {}
  ~OwnedSlice() {
    if (size < kPagesFromBytes) {
      delete[] bytes;
    } else {
      CHECK_EQ(munmap(bytes, size), 0);
    }
  }
  static char* Allocate(size_t size) {
    if (size < kPagesFromBytes) return new char[size];
    void* const pages =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED) << "out of memory for an answer";
    return static_cast<char*>(pages);
  }
  static void Destroy(void* self) { delete static_cast<OwnedSlice*>(self); }

  const Charge charge;
  const size_t size;
  char* const bytes;
};

struct ResponseBudget::SharedSlice {
  SharedSlice(std::shared_ptr<Held> held, SharedBytes shared)
      : charge(std::move(held), shared.size()), bytes(std::move(shared)) {}
  static void Destroy(void* self) { delete static_cast<SharedSlice*>(self); }

  Charge charge;
  SharedBytes bytes;
};

grpc::Slice ResponseBudget::Maker::NewSlice(size_t size, char** bytes) {
  auto* owned = new OwnedSlice(budget_.held_, size);
  *bytes = owned->bytes;
  return grpc::Slice(owned->bytes, size, OwnedSlice::Destroy, owned);
}

grpc::Slice ResponseBudget::Maker::ShareSlice(SharedBytes bytes) {
  auto* shared = new SharedSlice(budget_.held_, std::move(bytes));
  const std::string_view view = shared->bytes.view();
  // gRPC does not write into slices of messages.
  return grpc::Slice(const_cast<char*>(view.data()), view.size(), SharedSlice::Destroy, shared);
}

ResponseBudget::ResponseBudget(int64_t capacity_bytes)
    : held_(std::make_shared<Held>(capacity_bytes)) {}

bool ResponseBudget::Admit(const Maker* maker) {
  absl::MutexLock lock(&held_->mutex);
  if (held_->bytes < held_->capacity_bytes) return true;
  if (!std::exchange(held_->beyond_taken, true)) held_->beyond = maker;
  return held_->beyond == maker;
}

void ResponseBudget::Leave(const Maker* maker) {
  absl::MutexLock lock(&held_->mutex);
  if (held_->beyond != maker) return;
  held_->beyond = nullptr;
  if (held_->bytes < held_->capacity_bytes) held_->beyond_taken = false;
}

int64_t ResponseBudget::held_bytes() const {
  absl::MutexLock lock(&held_->mutex);
  return held_->bytes;
}

}  // namespace kvorum::api
