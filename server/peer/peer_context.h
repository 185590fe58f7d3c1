#pragma once
// What all parts of one transport share.
//
// Threads: constant after construction, but for what says otherwise; outlives all parts.

#include <memory>
#include <string>
#include <utility>

#include "base/types.h"
#include "raft/types.h"
#include "server/peer/handler.h"
#include "server/peer/http_client.h"
#include "server/peer/identity.h"
#include "server/peer/io_loop.h"
#include "server/peer/transport.h"

namespace kvorum::server::peer {

struct PeerContext {
  PeerContext(Identity the_identity, Timing the_timing, std::string the_local_address)
      : identity(std::move(the_identity)),
        timing(the_timing),
        local_address(std::move(the_local_address)) {}

  const Identity identity;
  const Timing timing;
  const std::string local_address;
  Handler* handler = nullptr;
  std::shared_ptr<IoLoop> accept_loop;
  std::shared_ptr<IoLoop> dial_loop;
  std::unique_ptr<HttpClient> client;  // of the dial loop

  MemberId self() const { return identity.self(); }
};

// What became of a message that came from the network.
enum class Delivery {
  kTaken,
  kRefused,  // from a removed member, or not for this one
  kDropped,  // raft has no room
};
// Checks a message and hands it to raft. Any thread.
Delivery Deliver(const PeerContext& context, raft::Message message);

// What a POST to another member is answered with: OK, or why not. 403 tells the handler that this
// member was removed.
Status CheckPostReply(const PeerContext& context, MemberId to, const std::string& url,
                      const HttpReply& reply);

}  // namespace kvorum::server::peer
