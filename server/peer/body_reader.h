#pragma once
// Reads whole bodies of requests, with a bound for each and one for all that are held at a time.
//
// Threads: the accept loop.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "server/peer/http_server.h"

namespace kvorum::server::peer {

// Of all bodies together. One message may be as large as this alone.
inline constexpr size_t kMaxHeldBodyBytes = size_t{512} << 20;

class BodyReader {
 public:
  // ResourceExhausted: longer than `limit_bytes`, or too much is held already. Otherwise what
  // HttpExchange::ReadSome says. A body counts as held until `done` gets it.
  void Read(std::shared_ptr<HttpExchange> exchange, size_t limit_bytes,
            std::function<void(StatusOr<std::string>)> done);

  size_t held_bytes() const { return *held_bytes_; }

 private:
  class Reading;

  const std::shared_ptr<size_t> held_bytes_ = std::make_shared<size_t>(0);
};

}  // namespace kvorum::server::peer
