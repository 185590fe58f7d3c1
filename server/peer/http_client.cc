#include "server/peer/http_client.h"

#include <utility>

namespace kvorum::server::peer {

// Shared with the calls under way.
struct HttpClient::State : std::enable_shared_from_this<State> {
  State(std::shared_ptr<IoLoop> the_loop, Options the_options)
      : loop(std::move(the_loop)), options(std::move(the_options)), sweep_timer(loop.get()) {}

  std::shared_ptr<ClientConnection> TakeIdle(const std::string& url) {
    for (auto it = idle.begin(); it != idle.end(); ++it) {
      if (it->first != url) continue;
      auto connection = std::move(it->second.connection);
      idle.erase(it);
      return connection;
    }
    return nullptr;
  }

  void Keep(const std::string& url, std::shared_ptr<ClientConnection> connection) {
    if (loop->finishing() || closed || idle.size() >= kMaxIdleConnections) {
      connection->Close();
      return;
    }
    idle.emplace_front(url, Idle{std::move(connection), SystemClock().Now()});
    if (idle.size() == 1) ScheduleSweep();
  }

  void ScheduleSweep() {
    sweep_timer.After(kIdleConnection, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->Sweep();
    });
  }
  void Sweep() {
    const TimePoint limit = SystemClock().Now() - kIdleConnection;
    std::erase_if(idle, [&](auto& one) {
      const bool old = one.second.since <= limit;
      if (old) one.second.connection->Close();
      return old;
    });
    if (!idle.empty()) ScheduleSweep();
  }
  void CloseIdle() {
    closed = true;
    sweep_timer.Cancel();
    for (auto& one : std::exchange(idle, {})) one.second.connection->Close();
  }

  const std::shared_ptr<IoLoop> loop;
  const Options options;
  std::list<std::pair<std::string, Idle>> idle;  // by URL, the latest first
  Timer sweep_timer;
  bool closed = false;
};

class HttpClient::Exchange final : public Closable, public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(std::shared_ptr<State> state, PeerUrl url, Call call, Done done)
      : state_(std::move(state)),
        url_(std::move(url)),
        call_(std::move(call)),
        done_(std::move(done)) {}

  void Start() {
    connection_ = state_->TakeIdle(url_.text);
    kept_ = connection_ != nullptr;
    if (kept_) {
      Write();
    } else {
      Connect();
    }
  }
  void Close() override {
    closed_ = true;
    if (connection_ != nullptr) connection_->Close();
  }

 private:
  void Connect() {
    connection_ = ClientConnection::New(state_->loop.get(), state_->options.local_address);
    connection_->Connect(url_, state_->options.dial_timeout,
                         [self = shared_from_this()](const Status& status) {
                           status.ok() ? self->Write() : self->Fail(status);
                         });
  }

  void Write() {
    connection_->Send(call_.request, state_->options.io_timeout,
                      [self = shared_from_this()](const Status& status) {
                        status.ok() ? self->ReadHead() : self->FailBeforeAnswer(status);
                      });
  }

  void ReadHead() {
    connection_->ReadHead(call_.answer_timeout, [self = shared_from_this()](const Status& status) {
      status.ok() ? self->OnHead() : self->FailBeforeAnswer(status);
    });
  }

  void OnHead() {
    reply_.status = connection_->status();
    reply_.headers = connection_->headers();
    ReadBody();
  }

  void ReadBody() {
    connection_->ReadSome(
        state_->options.io_timeout,
        [self = shared_from_this()](const StatusOr<std::string>& piece) { self->OnPiece(piece); });
  }

  void OnPiece(const StatusOr<std::string>& piece) {
    if (!piece.ok()) {
      Fail(piece.status());
    } else if (reply_.body.size() + piece->size() > call_.max_body_bytes) {
      Fail(absl::ResourceExhaustedError("response body is too large"));
    } else if (piece->empty()) {
      if (connection_->reusable()) {
        state_->Keep(url_.text, std::move(connection_));
      } else {
        connection_->Close();
      }
      std::exchange(done_, nullptr)(std::move(reply_));
    } else {
      reply_.body += *piece;
      ReadBody();
    }
  }

  void FailBeforeAnswer(const Status& status) {
    const bool stale = kept_ && !closed_ && status.code() == absl::StatusCode::kUnavailable;
    if (stale) {
      connection_->Close();
      kept_ = false;
      Connect();
    } else {
      Fail(status);
    }
  }

  void Fail(const Status& status) {
    connection_->Close();
    std::exchange(done_, nullptr)(closed_ ? absl::CancelledError("request canceled") : status);
  }

  const std::shared_ptr<State> state_;
  const PeerUrl url_;
  const Call call_;
  Done done_;
  std::shared_ptr<ClientConnection> connection_;
  bool kept_ = false;  // the connection has served another request
  bool closed_ = false;
  HttpReply reply_;
};

HttpClient::HttpClient(std::shared_ptr<IoLoop> loop, Options options)
    : state_(std::make_shared<State>(std::move(loop), std::move(options))) {}

HttpClient::~HttpClient() { state_->CloseIdle(); }

std::weak_ptr<Closable> HttpClient::Send(const PeerUrl& url, Call call, Done done) {
  auto exchange = std::make_shared<Exchange>(state_, url, std::move(call), std::move(done));
  exchange->Start();
  return exchange;
}

}  // namespace kvorum::server::peer
