#pragma once
// MemberHashes: asks the other members for their hashes over the network.

#include "server/corruption/compact_hash_checker.h"
#include "server/membership/membership.h"
#include "server/peers.h"

namespace kvorum::server {

class MemberHashes final : public PeerHashes {
 public:
  // Both must outlive this.
  MemberHashes(const Membership& membership, Peers& peers)
      : membership_(membership), peers_(peers) {}

  void Ask(Revision revision, OnAnswers done) override;

 private:
  const Membership& membership_;
  Peers& peers_;
};

}  // namespace kvorum::server
