#pragma once
// The listening sockets of a member's peer URLs.

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "server/peer/transport.h"

namespace kvorum::server::peer {

class BoundPort final : public Transport::Port {
 public:
  static StatusOr<std::unique_ptr<BoundPort>> Bind(const std::vector<std::string>& urls,
                                                   bool reuse_port);
  ~BoundPort() override;  // closes what was not taken

  const std::vector<std::string>& addresses() const override { return addresses_; }
  // The sockets, non-blocking, now the caller's.
  std::vector<int> Take();

 private:
  std::vector<int> fds_;
  std::vector<std::string> addresses_;
};

}  // namespace kvorum::server::peer
