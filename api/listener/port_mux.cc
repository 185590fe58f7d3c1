#include "api/listener/port_mux.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/listener/socket.h"
#include "base/log.h"

namespace kvorum::api {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::string_view kPrefaceStart = "PRI";
constexpr char kTlsHandshakeByte = 0x16;
constexpr auto kAcceptPause = std::chrono::milliseconds(100);
constexpr int kAcceptsPerWake = 64;

int DescriptorLimit() {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t most = 1 << 30;
  return static_cast<int>(std::min(limit.rlim_cur, most)) - kReservedDescriptors;
}

}  // namespace

Protocol Sniff(std::string_view first_bytes) {
  if (first_bytes.empty()) return Protocol::kUnknown;
  if (first_bytes[0] == kTlsHandshakeByte) return Protocol::kTls;
  const size_t seen = std::min(first_bytes.size(), kPrefaceStart.size());
  if (first_bytes.substr(0, seen) != kPrefaceStart.substr(0, seen)) return Protocol::kHttp;
  return seen == kPrefaceStart.size() ? Protocol::kGrpc : Protocol::kUnknown;
}

struct PortMux::State {
  asio::io_context* io;
  Duration sniff_timeout;
  Sinks sinks;
  bool stopped = false;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::set<std::shared_ptr<Sniffer>> sniffers;
};

// One connection until it is known what it speaks. All on the io thread.
class PortMux::Sniffer : public std::enable_shared_from_this<PortMux::Sniffer> {
 public:
  Sniffer(std::shared_ptr<State> state, int fd, const ListenOptions& options)
      : state_(std::move(state)),
        options_(options),
        socket_(*state_->io, fd),
        timer_(*state_->io) {}

  void Start() {
    timer_.expires_after(state_->sniff_timeout);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->Close();
    });
    WaitForBytes();
  }
  void Close() {
    error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
  }

 private:
  void WaitForBytes() {
    socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](error_code error) {
                         if (error || !self->ReadSome()) self->Close();
                         if (!self->socket_.is_open()) self->Leave();
                       });
  }
  // False when the connection is to be closed. Bytes stay in order: what is read here goes along.
  bool ReadSome() {
    char bytes[kPrefaceStart.size()];
    const ssize_t n =
        recv(socket_.native_handle(), bytes, kPrefaceStart.size() - read_.size(), MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return false;
    if (n > 0) read_.append(bytes, static_cast<size_t>(n));
    switch (Sniff(read_)) {
      case Protocol::kUnknown:
        WaitForBytes();
        return true;
      case Protocol::kTls:
        return false;
      case Protocol::kGrpc:
        if (!options_.grpc) return false;
        HandOver(state_->sinks.grpc);
        return true;
      case Protocol::kHttp:
        if (!options_.http) return false;
        HandOver(state_->sinks.http);
        return true;
    }
    return false;
  }
  void HandOver(const Sink& sink) {
    timer_.cancel();
    const int fd = socket_.release();
    sink(fd, std::move(read_));
  }
  void Leave() { state_->sniffers.erase(shared_from_this()); }

  const std::shared_ptr<State> state_;
  const ListenOptions options_;
  asio::posix::stream_descriptor socket_;
  asio::steady_timer timer_;
  std::string read_;
};

class PortMux::Listener {
 public:
  Listener(State* state, ListeningSocket socket, const ListenOptions& options)
      : state_(*state),
        options_(options),
        socket_(std::move(socket)),
        descriptor_(*state->io, socket_.fd),
        pause_(*state->io),
        descriptor_limit_(DescriptorLimit()) {}

  const std::string& address() const { return socket_.address; }
  void Start(const std::shared_ptr<State>& state) {
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [this, state](error_code error) {
                             if (!error && !state->stopped) AcceptAll(state);
                           });
  }
  void Close() {
    error_code ignored;
    descriptor_.close(ignored);
    pause_.cancel();
    if (socket_.is_unix) unlink(socket_.address.c_str());
  }

 private:
  void AcceptAll(const std::shared_ptr<State>& state) {
    for (int i = 0; i < kAcceptsPerWake; ++i) {
      const int fd = AcceptConnection(socket_);
      if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
      if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
      // The kernel gives the lowest free number, so it says how many are in use.
      if (fd < 0 || fd >= descriptor_limit_) {
        if (fd >= 0) close(fd);
        Pause(state);
        return;
      }
      auto sniffer = std::make_shared<Sniffer>(state, fd, options_);
      state->sniffers.insert(sniffer);
      sniffer->Start();
    }
    Start(state);
  }
  void Pause(const std::shared_ptr<State>& state) {
    LOG_WARN("too many open connections, pausing accept", {"address", socket_.address});
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([this, state](error_code error) {
      if (!error && !state->stopped) Start(state);
    });
  }

  State& state_;
  const ListenOptions options_;
  const ListeningSocket socket_;
  asio::posix::stream_descriptor descriptor_;
  asio::steady_timer pause_;
  const int descriptor_limit_;
};

PortMux::PortMux(asio::io_context* io, Duration sniff_timeout) : state_(std::make_shared<State>()) {
  state_->io = io;
  state_->sniff_timeout = sniff_timeout;
}

PortMux::~PortMux() {
  state_->listeners.clear();  // they hold the state's io objects, pending handlers the state
  state_->sniffers.clear();
}

Status PortMux::Open(const std::string& url, const ListenOptions& options) {
  ASSIGN_OR_RETURN(ListeningSocket socket, OpenListeningSocket(url, options.reuse_port));
  state_->listeners.push_back(std::make_unique<Listener>(state_.get(), std::move(socket), options));
  return absl::OkStatus();
}

std::vector<std::string> PortMux::addresses() const {
  std::vector<std::string> addresses;
  for (const auto& listener : state_->listeners) addresses.push_back(listener->address());
  return addresses;
}

void PortMux::Start(Sinks sinks) {
  state_->sinks = std::move(sinks);
  for (const auto& listener : state_->listeners) listener->Start(state_);
}

void PortMux::Stop() {
  if (std::exchange(state_->stopped, true)) return;
  for (const auto& listener : state_->listeners) listener->Close();
  for (const auto& sniffer : state_->sniffers) sniffer->Close();
}

}  // namespace kvorum::api
