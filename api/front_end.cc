#include <absl/synchronization/notification.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "api/api.h"
#include "api/grpc/grpc_front.h"
#include "api/http/gateway/gateway.h"
#include "api/http/health.h"
#include "api/http/http_server.h"
#include "api/http/metrics.h"
#include "api/http/probes.h"
#include "api/http/vars.h"
#include "api/http/version.h"
#include "api/listener/port_mux.h"
#include "base/check.h"
#include "base/log.h"

namespace kvorum::api {

namespace asio = boost::asio;

namespace {

// For HTTP answers to leave, once nothing waits for the server any more.
constexpr Duration kLastAnswers = std::chrono::seconds(1);

bool Contains(const std::vector<std::string>& urls, const std::string& url) {
  return std::find(urls.begin(), urls.end(), url) != urls.end();
}

Status BoundTwice(const std::string& url) {
  return absl::InvalidArgumentError(
      "cannot bind both --listen-client-urls and --listen-client-http-urls on the same url " + url);
}

// The thread of listener and HTTP, and what runs on it.
class FrontEndImpl final : public FrontEnd {
 public:
  explicit FrontEndImpl(const FrontEndOptions& options)
      : options_(options),
        work_(asio::make_work_guard(io_)),
        mux_(&io_),
        metrics_mux_(&io_),
        executor_(&io_),
        router_(AccessPolicy(options.cors_origins, options.host_whitelist)) {}
  ~FrontEndImpl() override {
    Shutdown(Duration::zero());
    Join();
  }

  Status OpenAll() {
    for (const std::string& url : options_.metrics_urls) RETURN_IF_ERROR(metrics_mux_.Open(url));
    PortMux::ListenOptions client{.reuse_port = options_.reuse_port};
    client.http = options_.client_http_urls.empty();
    for (const std::string& url : options_.client_urls) RETURN_IF_ERROR(mux_.Open(url, client));
    const PortMux::ListenOptions http{.grpc = false, .reuse_port = options_.reuse_port};
    for (const std::string& url : options_.client_http_urls) {
      if (Contains(options_.client_urls, url)) return BoundTwice(url);
      RETURN_IF_ERROR(mux_.Open(url, http));
    }
    return absl::OkStatus();
  }
  std::vector<std::string> addresses() const override { return mux_.addresses(); }
  std::vector<std::string> metrics_addresses() const override { return metrics_mux_.addresses(); }

  void ServeMetrics(server::Server* server) override {
    AddChecks(&metrics_router_, server);
    PortMux::Sinks sinks;
    sinks.grpc = [](int fd, const std::string&) { close(fd); };
    sinks.http = [this](int fd, std::string read) { metrics_http_.Serve(fd, std::move(read)); };
    metrics_mux_.Start(std::move(sinks));
    StartThread();
    for (const std::string& url : options_.metrics_urls) {
      LOG_INFO("serving metrics", {"address", url});
    }
  }

  Status Start(server::Server* server) override {
    ASSIGN_OR_RETURN(grpc_, GrpcFront::Start(options_, server));
    AddChecks(&router_, server);
    AddVersion(&router_, server);
    AddVars(&router_, server);
    if (options_.json_gateway) {
      const Gateway::Options options = {.max_concurrent_streams = options_.max_concurrent_streams,
                                        .max_request_bytes = grpc_->max_request_bytes(),
                                        .max_held_bytes = options_.gateway_memory_bytes};
      gateway_ = std::make_unique<Gateway>(grpc_->NewChannel(), options);
      gateway_->Mount(&router_);
      gateway_->Start();
    }
    PortMux::Sinks sinks;
    sinks.grpc = [this](int fd, const std::string& read) { grpc_->Serve(fd, read); };
    sinks.http = [this](int fd, std::string read) { http_.Serve(fd, std::move(read)); };
    asio::post(io_, [this, sinks = std::move(sinks)] { mux_.Start(sinks); });
    StartThread();
    const std::vector<std::string> listeners = addresses();
    const bool split = !options_.client_http_urls.empty();
    for (size_t i = 0; i < listeners.size(); ++i) {
      const char* const traffic = i >= options_.client_urls.size() ? "http"
                                  : split                          ? "grpc"
                                                                   : "grpc+http";
      LOG_INFO("serving client traffic insecurely; this is strongly discouraged!",
               {"traffic", traffic}, {"address", listeners[i]});
    }
    return absl::OkStatus();
  }

  void Shutdown(Duration grace) override {
    if (!thread_.joinable() || std::exchange(shut_down_, true)) return;
    OnIoThread([this] {
      mux_.Stop();
      metrics_mux_.Stop();
      http_.EndWhenIdle();
      metrics_http_.EndWhenIdle();
    });
    if (grpc_ == nullptr) return;
    // Calls of the gateway come to an end before gRPC does, which would cut them.
    const TimePoint deadline = std::chrono::steady_clock::now() + grace;
    if (gateway_ != nullptr) gateway_->Shutdown(grace);
    grpc_->Shutdown(std::max(Duration::zero(), deadline - std::chrono::steady_clock::now()));
  }

  void Join() override {
    if (!thread_.joinable()) return;
    CHECK(shut_down_) << "Shutdown comes before Join";
    if (grpc_ != nullptr) grpc_->Join();
    // What waited for the server has been answered or is about to be; who does not take his answer
    // is not waited for.
    for (HttpServer* const http : {&http_, &metrics_http_}) {
      absl::Notification idle;
      OnIoThread([&] { http->WhenIdle([&idle] { idle.Notify(); }); });
      if (!idle.WaitForNotificationWithTimeout(absl::FromChrono(kLastAnswers))) {
        OnIoThread([&] { http->CloseAll(); });
        idle.WaitForNotification();
      }
    }
    if (gateway_ != nullptr) gateway_->Join();
    io_.stop();
    thread_.join();
  }

 private:
  // What both ports have.
  void AddChecks(HttpRouter* router, server::Server* server) {
    AddHealth(router, server, &executor_);
    AddProbes(router, server, &executor_);
    AddMetrics(router, server);
  }
  void StartThread() {
    if (thread_.joinable()) return;
    thread_ = std::thread([this] { io_.run(); });
    pthread_setname_np(thread_.native_handle(), "http");
  }
  template <typename F>
  void OnIoThread(F work) {
    absl::Notification done;
    asio::post(io_, [&] {
      work();
      done.Notify();
    });
    done.WaitForNotification();
  }

  const FrontEndOptions options_;
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  PortMux mux_;
  PortMux metrics_mux_;
  IoExecutor executor_;
  HttpRouter router_;
  HttpRouter metrics_router_;
  HttpServer http_{&io_, &router_};
  HttpServer metrics_http_{&io_, &metrics_router_};
  std::unique_ptr<GrpcFront> grpc_;
  std::unique_ptr<Gateway> gateway_;
  std::thread thread_;
  bool shut_down_ = false;
};

}  // namespace

StatusOr<std::unique_ptr<FrontEnd>> FrontEnd::Listen(const FrontEndOptions& options) {
  auto front_end = std::make_unique<FrontEndImpl>(options);
  RETURN_IF_ERROR(front_end->OpenAll());
  return front_end;
}

}  // namespace kvorum::api
