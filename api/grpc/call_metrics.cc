#include "api/grpc/call_metrics.h"

#include <absl/strings/str_replace.h>
#include <google/protobuf/descriptor.h>

#include <memory>
#include <mutex>

#include "base/check.h"
#include "base/log.h"
#include "base/strings.h"

namespace kvorum::api {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

constexpr const char* kServices[] = {"etcdserverpb.Auth",        "etcdserverpb.Cluster",
                                     "etcdserverpb.KV",          "etcdserverpb.Lease",
                                     "etcdserverpb.Maintenance", "etcdserverpb.Watch",
                                     "grpc.health.v1.Health"};

// As Go names them, by their number.
constexpr const char* kCodeNames[] = {
    "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
    "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
    "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
    "DataLoss", "Unauthenticated"};

std::atomic<bool> with_durations{false};

metrics::Counter& received_bytes =
    metrics::Default().AddCounter("etcd_network_client_grpc_received_bytes_total",
                                  "The total number of bytes received from grpc clients.");
metrics::Counter& sent_bytes = metrics::Default().AddCounter(
    "etcd_network_client_grpc_sent_bytes_total", "The total number of bytes sent to grpc clients.");

std::string TypeOf(const MethodDescriptor& method) {
  if (method.client_streaming()) {
    return method.server_streaming() ? "bidi_stream" : "client_stream";
  }
  return method.server_streaming() ? "server_stream" : "unary";
}

metrics::Labels LabelsOf(std::string_view service, std::string_view method) {
  const ServiceDescriptor* const descriptor =
      DescriptorPool::generated_pool()->FindServiceByName(std::string(service));
  CHECK(descriptor != nullptr) << service;
  const MethodDescriptor* const found = descriptor->FindMethodByName(std::string(method));
  CHECK(found != nullptr) << service << "/" << method;
  return {{"grpc_service", std::string(service)},
          {"grpc_method", std::string(method)},
          {"grpc_type", TypeOf(*found)}};
}

metrics::Counter& AddTotal(const char* name, const char* help, const metrics::Labels& labels) {
  return metrics::Default().AddCounter(name, help, labels);
}

metrics::Counter& AddHandled(size_t code, metrics::Labels labels) {
  labels["grpc_code"] = kCodeNames[code];
  return AddTotal("grpc_server_handled_total",
                  "Total number of RPCs completed on the server, regardless of success or failure.",
                  labels);
}

}  // namespace

MethodMetrics::MethodMetrics(std::string_view service, std::string_view method)
    : started_(AddTotal("grpc_server_started_total", "Total number of RPCs started on the server.",
                        LabelsOf(service, method))),
      received_(AddTotal("grpc_server_msg_received_total",
                         "Total number of RPC stream messages received on the server.",
                         LabelsOf(service, method))),
      sent_(AddTotal("grpc_server_msg_sent_total",
                     "Total number of gRPC stream messages sent by the server.",
                     LabelsOf(service, method))),
      seconds_(nullptr) {
  static_assert(std::size(kCodeNames) == kCodes);
  const metrics::Labels labels = LabelsOf(service, method);
  for (size_t code = 0; code < kCodes; ++code) handled_[code] = &AddHandled(code, labels);
  if (!with_durations) return;
  seconds_ = &metrics::Default().AddHistogram(
      "grpc_server_handling_seconds",
      "Histogram of response latency (seconds) of gRPC that had been application-level handled by "
      "the server.",
      {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}, labels);
}

TimePoint MethodMetrics::Begin() const {
  started_.Add();
  return seconds_ == nullptr ? TimePoint() : std::chrono::steady_clock::now();
}

void MethodMetrics::OnReceived(size_t message_bytes) const {
  received_.Add();
  received_bytes.Add(message_bytes);
}

void MethodMetrics::OnSent(size_t message_bytes) const {
  sent_.Add();
  sent_bytes.Add(message_bytes);
}

void MethodMetrics::OnHandled(grpc::StatusCode code, TimePoint began) const {
  const auto number = static_cast<size_t>(code);
  handled_[number < kCodes ? number : static_cast<size_t>(grpc::StatusCode::UNKNOWN)]->Add();
  if (seconds_ != nullptr) seconds_->Observe(std::chrono::steady_clock::now() - began);
}

void AddCallMetrics(bool extensive) {
  with_durations = extensive;
  for (const char* const service : kServices) {
    const ServiceDescriptor* const descriptor =
        DescriptorPool::generated_pool()->FindServiceByName(service);
    CHECK(descriptor != nullptr) << service;
    for (int i = 0; i < descriptor->method_count(); ++i) {
      MethodMetrics(service, descriptor->method(i)->name());
    }
  }
}

// ---- Client versions ----------------------------------------------------------------------------

namespace {

constexpr char kNoVersion[] = "unknown";
constexpr char kOtherVersions[] = "other";

struct ClientVersion {
  std::string version;
  metrics::Counter& calls;
};

// The counter of each version, of which nearly all calls have the same one.
class ClientVersions {
 public:
  explicit ClientVersions(const char* type) : type_(type) {}

  void Count(std::string_view version) {
    const ClientVersion* last = last_.load(std::memory_order_acquire);
    if (last == nullptr || last->version != version) last = Find(version);
    last->calls.Add();
  }

 private:
  const ClientVersion* Find(std::string_view version) {
    const std::lock_guard lock(mutex_);
    auto it = known_.find(version);
    if (it == known_.end()) {
      const std::string name(known_.size() < kClientVersionsMax ? version : kOtherVersions);
      it = known_.find(name);
      if (it == known_.end()) it = known_.emplace(name, Make(name)).first;
    }
    last_.store(it->second.get(), std::memory_order_release);
    return it->second.get();
  }
  std::unique_ptr<ClientVersion> Make(const std::string& version) const {
    return std::unique_ptr<ClientVersion>(new ClientVersion{
        version,
        metrics::Default().AddCounter("etcd_server_client_requests_total",
                                      "The total number of client requests per client version.",
                                      {{"type", type_}, {"client_api_version", version}})});
  }

  const char* const type_;
  std::atomic<const ClientVersion*> last_{nullptr};
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<ClientVersion>, std::less<>> known_;
};

}  // namespace

void CountClientRequest(CallKind kind, const grpc::ServerContext& context) {
  static ClientVersions* const unary = new ClientVersions("unary");
  static ClientVersions* const stream = new ClientVersions("stream");
  const auto& metadata = context.client_metadata();
  const auto given = metadata.find("client-api-version");
  const std::string_view version =
      given == metadata.end() ? std::string_view(kNoVersion)
                              : std::string_view(given->second.data(), given->second.size());
  (kind == CallKind::kUnary ? unary : stream)->Count(version);
}

void OnReceiveFailure(std::string_view api, const grpc::Status& status) {
  metrics::Default()
      .AddCounter("etcd_network_server_stream_failures_total",
                  "The total number of stream failures from the local server.",
                  {{"API", std::string(api)}, {"Type", "receive"}})
      .Add();
  const std::string what = absl::StrReplaceAll(std::string(api), {{"-", " "}});
  LOG_WARN(StrCat("failed to receive ", what, " request from gRPC stream"),
           {"error", StrCat("rpc error: code = ", kCodeNames[status.error_code()],
                            " desc = ", status.error_message())});
}

}  // namespace kvorum::api
