#pragma once
// How many bytes of lists this member holds for its clients, from their reading until the network
// has taken them, and the bound on that.
//
// A list is made of slices; each is charged when it is made and credited when gRPC frees it, so a
// client that reads its answer slowly pays for what it has not yet read. Before a list grows its
// maker asks Admit. Within the bound everybody may. Beyond it one list may, so that there is always
// one that comes to its end, and no other until less than the bound is held again. What is held is
// therefore at most the bound, one answer, and a piece of each list that is being made.
//
// Answers below kUnchargedBytes are not counted: they are bounded by the number of calls.
// Thread-safe. Slices keep what they need of the budget alive.

#include <grpcpp/support/slice.h>

#include <cstdint>
#include <memory>

#include "base/bytes.h"

namespace kvorum::api {

inline constexpr int64_t kResponseBudgetBytes = 512 << 20;
inline constexpr int64_t kUnchargedBytes = 64 << 10;

class ResponseBudget {
 public:
  // One list's part in the budget, for as long as it is being made.
  class Maker {
   public:
    explicit Maker(ResponseBudget* budget) : budget_(*budget) {}
    Maker(const Maker&) = delete;
    ~Maker() { budget_.Leave(this); }

    // Whether the list may grow by a piece now; if not, ask again a little later. Nothing is
    // resumed when there is room again: that happens inside gRPC, where nothing may be.
    bool Admit() { return budget_.Admit(this); }
    // A charged slice of `size` bytes, to be filled through *bytes before it is handed on.
    grpc::Slice NewSlice(size_t size, char** bytes);
    // A charged slice that shows `bytes` without copying them.
    grpc::Slice ShareSlice(SharedBytes bytes);

   private:
    ResponseBudget& budget_;
  };

  explicit ResponseBudget(int64_t capacity_bytes = kResponseBudgetBytes);

  int64_t held_bytes() const;

 private:
  struct Held;
  class Charge;
  struct OwnedSlice;
  struct SharedSlice;

  bool Admit(const Maker* maker);
  void Leave(const Maker* maker);

  const std::shared_ptr<Held> held_;
};

}  // namespace kvorum::api
