#include "tests/server/peer/cluster.h"

#include <thread>
#include <utility>

#include "base/check.h"

namespace kvorum::server::peer {

Timing PatientTiming() {
  return {.io_timeout = std::chrono::minutes(2),
          .dial_timeout = std::chrono::minutes(2),
          .redial_interval = std::chrono::milliseconds(5),
          .probe_interval = std::chrono::minutes(10)};
}

TestMember::TestMember(uint64_t number, const Timing& timing) : id(number) {
  auto port = Transport::Bind({"http://127.0.0.1:0"});
  CHECK_OK(port.status());
  const std::string url = "http://" + (*port)->addresses()[0];
  transport = Transport::New(
      {.self = id, .cluster = kTestCluster, .advertise_urls = {url}, .timing = timing},
      std::move(*port));
  transport->Start(&handler);
}

TestMember::~TestMember() { transport->Stop(); }

void TestMember::Meet(TestMember& other) {
  CHECK_OK(transport->AddPeer(other.id, {other.url()}));
  CHECK_OK(other.transport->AddPeer(id, {url()}));
}

void TestMember::AwaitActive(const TestMember& other) {
  while (!transport->ActiveSince(other.id)) std::this_thread::yield();
}

void TestMember::Send(raft::MessageType type, const TestMember& to, uint64_t index,
                      const std::string& payload) {
  raft::Message message = {.type = type,
                           .to = to.id,
                           .from = id,
                           .term = Term(1),
                           .log_term = Term(1),
                           .index = Index(index)};
  if (!payload.empty()) {
    message.entries = {{.term = Term(1), .index = Index(index + 1), .data = SharedBytes(payload)}};
  }
  std::vector<raft::Message> messages;
  messages.push_back(std::move(message));
  transport->Send(std::move(messages));
}

}  // namespace kvorum::server::peer
