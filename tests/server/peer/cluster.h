#pragma once
// Transports of several members in one process, over loopback.

#include <memory>
#include <string>
#include <vector>

#include "server/peer/transport.h"
#include "tests/server/peer/fake_handler.h"

namespace kvorum::server::peer {

inline constexpr ClusterId kTestCluster(0xabc);

// Nothing times out, dials are repeated soon.
Timing PatientTiming();

struct TestMember {
  explicit TestMember(uint64_t number, const Timing& timing = PatientTiming());
  ~TestMember();

  std::string url() const { return "http://" + transport->addresses()[0]; }
  // Both ways, so that streams come up.
  void Meet(TestMember& other);
  void AwaitActive(const TestMember& other);
  // An append or another message from this member.
  void Send(raft::MessageType type, const TestMember& to, uint64_t index,
            const std::string& payload = "");

  const MemberId id;
  FakeHandler handler;
  std::unique_ptr<Transport> transport;
};

}  // namespace kvorum::server::peer
