#include "api/grpc/grpc_front.h"

#include <absl/synchronization/notification.h>
#include <grpc/support/log.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/slice.h>

#include <algorithm>
#include <limits>
#include <thread>
#include <utility>

#include "api/grpc/call_metrics.h"
#include "api/grpc/catch_all.h"
#include "api/grpc/cluster_service.h"
#include "api/grpc/health_service.h"
#include "api/grpc/kv_service.h"
#include "api/grpc/lease_service.h"
#include "api/grpc/maintenance_service.h"
#include "api/grpc/watch_service.h"
#include "base/log.h"

namespace kvorum::api {
namespace {

using grpc::experimental::ExternalConnectionAcceptor;

// Waiters of one finished batch that are resumed by who finished it (queue.h).
constexpr size_t kDirectResumes = 2;
constexpr int kMaxMetadataBytes = 16 << 20;  // grpc-go's
// From a connection's first bytes to its settings.
constexpr int kHandshakeTimeoutMs = 20000;
constexpr int kMaxPingStrikes = 2;
// Between GOAWAY and the end of the open streams, so that clients have heard of the first by then.
constexpr Duration kGoAwayLead = std::chrono::milliseconds(50);

// As gRPC's arguments are: without what is over, which is 24 days.
int Milliseconds(Duration duration) {
  const auto count = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return static_cast<int>(std::min<int64_t>(count, std::numeric_limits<int>::max()));
}

void SetArguments(const FrontEndOptions& options, grpc::ServerBuilder* builder) {
  // Sizes are checked by the handlers, in etcd's words; the quota bounds what arrives before that.
  builder->SetMaxReceiveMessageSize(-1);
  builder->SetMaxSendMessageSize(-1);
  grpc::ResourceQuota quota("client connections");
  quota.Resize(options.grpc_memory_bytes);
  builder->SetResourceQuota(quota);
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  // A ping and its answer for every few requests, to widen a window that requests of at most a few
  // MiB do not need: while one is read, it is given the window that its length asks for.
  builder->AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  // gRPC would end a call at its deadline with a status in the middle of the message that is being
  // sent, which clients take for an error of ours: "unexpected EOF". Handlers see to it (call.h).
  builder->AddChannelArgument(GRPC_ARG_ENABLE_DEADLINE_CHECKS, 0);
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                              Milliseconds(options.keepalive_min_time));
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kMaxPingStrikes);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(options.keepalive_interval));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                              Milliseconds(options.keepalive_timeout));
  const uint32_t most = std::numeric_limits<int>::max();
  if (options.max_concurrent_streams != 0 && options.max_concurrent_streams <= most) {
    builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                                static_cast<int>(options.max_concurrent_streams));
  }
  grpc::EnableDefaultHealthCheckService(false);
}

// gRPC writes plain lines to stderr; ours are JSON. Below an error it is noise; its errors are
// about single connections, or the last words before it aborts the process.
void RedirectGrpcLog() {
  gpr_set_log_function([](gpr_log_func_args* line) {
    if (line->severity != GPR_LOG_SEVERITY_ERROR) return;
    LOG_WARN("gRPC", {"error", line->message}, {"file", line->file}, {"line", line->line});
  });
}

class GrpcFrontImpl final : public GrpcFront {
 public:
  GrpcFrontImpl(const FrontEndOptions& options, server::Server* server)
      : calls_(builder_.AddCompletionQueue(), {"grpc-calls", kDirectResumes}),
        streams_(NewNonPollingQueue(), {"grpc-streams", 0}),
        interceptors_(server),
        registry_(&streams_, server),
        short_registry_(&calls_, server),
        announcements_(static_cast<grpc::ServerCompletionQueue*>(calls_.grpc_queue())),
        context_{.server = server,
                 .interceptors = &interceptors_,
                 .calls = &calls_,
                 .streams = &streams_,
                 .announcements = announcements_,
                 .registry = &registry_,
                 .short_registry = &short_registry_,
                 .responses = &responses_,
                 .max_request_bytes = server->config().max_request_bytes + kGrpcOverheadBytes},
        catch_all_(&calls_, announcements_) {
    SetArguments(options, &builder_);
    acceptor_ = builder_.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        grpc::InsecureServerCredentials());
    for (Service* service : services_) builder_.RegisterService(service);
    builder_.RegisterAsyncGenericService(catch_all_.service());
  }
  ~GrpcFrontImpl() override {
    Shutdown(Duration::zero());
    Join();
  }

  bool Start(server::Server* server) {
    grpc_server_ = builder_.BuildAndStart();
    if (grpc_server_ == nullptr) return false;
    calls_.Start();
    streams_.Start();
    for (Service* service : services_) service->StartAccepting();
    catch_all_.StartAccepting();
    const Duration tick = std::chrono::milliseconds(server->config().election_timeout_ms);
    registry_.StartLeaderMonitor(tick);
    short_registry_.StartLeaderMonitor(tick);
    return true;
  }

  void Serve(int fd, const std::string& read) override {
    ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = fd;
    const grpc::Slice slice(read);
    connection.read_buffer = grpc::ByteBuffer(&slice, 1);
    acceptor_->HandleNewConnection(&connection);
  }

  std::shared_ptr<grpc::Channel> NewChannel() override {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
    return grpc_server_->InProcessChannel(arguments);
  }
  size_t max_request_bytes() const override { return context_.max_request_bytes; }

  // grpc::Server::Shutdown returns only when every call has ended, and a call may wait for the
  // member longer than we may wait for it here: so it has a thread of its own. It says GOAWAY
  // before the streams end: a client that opens its watch again must not do so on the connection
  // that is going, where the new call would be cancelled instead of refused.
  void Shutdown(Duration grace) override {
    if (grpc_server_ == nullptr || std::exchange(shut_down_, true)) return;
    shutdown_ = std::thread([this, grace] {
      grpc_server_->Shutdown(std::chrono::system_clock::now() +
                             std::chrono::duration_cast<std::chrono::microseconds>(grace));
      no_calls_.Notify();
    });
    no_calls_.WaitForNotificationWithTimeout(absl::FromChrono(std::min(grace, kGoAwayLead)));
    registry_.StopAll(server::Error::kStopped);
    short_registry_.StopAll(server::Error::kStopped);
    no_calls_.WaitForNotificationWithTimeout(absl::FromChrono(grace));
  }

  void Join() override {
    if (joined_) return;
    joined_ = true;
    if (shutdown_.joinable()) shutdown_.join();
    calls_.Finish();
    streams_.Finish();
  }

 private:
  grpc::ServerBuilder builder_;
  CallQueue calls_;
  CallQueue streams_;
  Interceptors interceptors_;
  StreamRegistry registry_;
  StreamRegistry short_registry_;
  ResponseBudget responses_;
  grpc::ServerCompletionQueue* const announcements_;  // what calls_ was made of
  const ServiceContext context_;
  KvService kv_{context_};
  WatchService watch_{context_};
  LeaseService lease_{context_};
  ClusterService cluster_{context_};
  HealthService health_{context_};
  MaintenanceService maintenance_{context_, [this](bool serving) { health_.SetServing(serving); }};
  Service* const services_[6] = {&kv_, &watch_, &lease_, &cluster_, &maintenance_, &health_};
  CatchAll catch_all_;
  std::unique_ptr<ExternalConnectionAcceptor> acceptor_;
  std::unique_ptr<grpc::Server> grpc_server_;
  std::thread shutdown_;
  absl::Notification no_calls_;
  bool shut_down_ = false;
  bool joined_ = false;
};

}  // namespace

StatusOr<std::unique_ptr<GrpcFront>> GrpcFront::Start(const FrontEndOptions& options,
                                                      server::Server* server) {
  RedirectGrpcLog();
  AddCallMetrics(server->config().extensive_metrics);
  auto front = std::make_unique<GrpcFrontImpl>(options, server);
  if (!front->Start(server)) return absl::InternalError("the gRPC server did not start");
  return front;
}

}  // namespace kvorum::api
