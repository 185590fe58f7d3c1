// A member for tests that are written elsewhere (tests/compat): sends every message back to whom it
// came from, and every snapshot with its database. Says on its standard output, a line each:
//
//   listening <url>       at the start
//   snapshot sent|failed  the outcome of a snapshot sent back
//   removed               the other side said that this member was removed
//
//   peer_echo <own id> <cluster id> <peer's id> <peer's URL>     ids in decimal
//
// Ends when its standard input does.

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "server/peer/transport.h"
#include "tests/server/peer/fake_handler.h"

namespace kvorum::server::peer {
namespace {

class StringSource final : public SnapshotSource {
 public:
  explicit StringSource(std::string bytes) : bytes_(std::move(bytes)) {}
  StatusOr<uint64_t> Open() override { return bytes_.size(); }
  StatusOr<std::string> Read(size_t max_bytes) override {
    std::string piece = bytes_.substr(at_, max_bytes);
    at_ += piece.size();
    return piece;
  }

 private:
  const std::string bytes_;
  size_t at_ = 0;
};

void SendBack(Transport& transport, FakeHandler& handler, raft::Message message) {
  std::swap(message.to, message.from);
  if (message.type != raft::MessageType::kSnap) {
    std::vector<raft::Message> messages;
    messages.push_back(std::move(message));
    transport.Send(std::move(messages));
    return;
  }
  const MemberId to = message.to;
  const uint64_t index = message.snapshot->metadata.index.value();
  transport.SendSnapshot(std::move(message),
                         std::make_unique<StringSource>(handler.databases().at(index)));
  std::cout << "snapshot " << (handler.AwaitSnapshotSent(to) ? "sent" : "failed") << std::endl;
}

void Echo(Transport& transport, FakeHandler& handler) {
  for (size_t n = 0;; ++n) {
    SendBack(transport, handler, handler.AwaitMessages(n + 1)[n]);
  }
}

int Run(char** argv) {
  const MemberId self(std::strtoull(argv[1], nullptr, 10));
  const ClusterId cluster(std::strtoull(argv[2], nullptr, 10));
  const MemberId other(std::strtoull(argv[3], nullptr, 10));
  auto port = Transport::Bind({"http://127.0.0.1:0"});
  CHECK_OK(port.status());
  const std::string url = "http://" + (*port)->addresses()[0];
  FakeHandler handler;
  const auto transport =
      Transport::New({.self = self, .cluster = cluster, .advertise_urls = {url}}, std::move(*port));
  transport->Start(&handler);
  CHECK_OK(transport->AddPeer(other, {argv[4]}));
  std::cout << "listening " << url << std::endl;
  std::thread([&] { Echo(*transport, handler); }).detach();
  std::thread([&] {
    handler.AwaitRemovedFromCluster();
    std::cout << "removed" << std::endl;
  }).detach();
  while (std::cin.get() != std::char_traits<char>::eof()) {
  }
  std::_Exit(0);  // the threads above wait for ever
}

}  // namespace
}  // namespace kvorum::server::peer

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: peer_echo OWN-ID CLUSTER-ID PEER-ID PEER-URL\n";
    return 2;
  }
  return kvorum::server::peer::Run(argv);
}
