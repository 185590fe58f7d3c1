#include "server/flags/flag_table.h"

#include <cctype>
#include <iterator>

namespace kvorum::server::flags {
namespace {

constexpr std::string_view kMember = "Member";
constexpr std::string_view kClustering = "Clustering";
constexpr std::string_view kSecurity = "Security";
constexpr std::string_view kAuth = "Auth";
constexpr std::string_view kMonitoring = "Profiling and monitoring";
constexpr std::string_view kLogging = "Logging";
constexpr std::string_view kTracing = "Distributed tracing";
constexpr std::string_view kFeatures = "Features";
constexpr std::string_view kUnsafe = "Unsafe";
// Not shown.
constexpr std::string_view kHidden = "";

using enum Kind;
using enum Support;

constexpr FlagDefinition kFlags[] = {
    {kMember, "name", kString, "default", kUsed, "Name of this member, unique in the cluster."},
    {kMember, "data-dir", kString, "", kUsed, "Directory of all data; empty: <name>.etcd."},
    {kMember, "wal-dir", kString, "", kOff, "Directory of the write-ahead log."},
    {kMember, "snapshot-count", kUint, "10000", kUsed,
     "Entries applied between two raft snapshots."},
    {kMember, "snapshot-catchup-entries", kUint, "5000", kUsed,
     "Entries kept behind a snapshot for followers that lag."},
    {kMember, "heartbeat-interval", kUint, "100", kUsed, "Time between heartbeats, in ms."},
    {kMember, "election-timeout", kUint, "1000", kUsed,
     "Silence of the leader after which followers campaign, in ms."},
    {kMember, "initial-election-tick-advance", kBool, "true", kUsed,
     "Whether the first election at boot comes early."},
    {kMember, "listen-peer-urls", kUrls, "http://localhost:2380", kUsed,
     "Addresses to listen on for members."},
    {kMember, "listen-client-urls", kUrls, "http://localhost:2379", kUsed,
     "Addresses to listen on for clients."},
    {kMember, "listen-client-http-urls", kUrls, "", kUsed,
     "Addresses for HTTP alone; the others then serve gRPC alone."},
    {kMember, "max-snapshots", kUint, "5", kInert, "Deprecated. Snapshot files kept."},
    {kMember, "max-wals", kUint, "5", kOff, "Log files kept."},
    {kMember, "memory-mlock", kBool, "false", kOff, "Lock the database's pages in memory."},
    {kMember, "quota-backend-bytes", kInt, "0", kUsed,
     "Size of the database that raises the NOSPACE alarm; 0: 2 GiB, negative: none."},
    {kMember, "backend-bbolt-freelist-type", kString, "map", kInert, "Of etcd's database file."},
    {kMember, "backend-batch-interval", kDuration, "0s", kOff,
     "Longest time before a backend commit.", "", "100ms"},
    {kMember, "backend-batch-limit", kInt, "0", kOff, "Most changes before a backend commit.", "",
     "10000"},
    {kMember, "max-txn-ops", kUint, "128", kUsed, "Most operations of one transaction."},
    {kMember, "max-request-bytes", kUint, "1572864", kUsed, "Largest request of a client."},
    {kMember, "max-concurrent-streams", kUint32, "4294967295", kUsed,
     "Calls that one client connection may have open."},
    {kMember, "grpc-keepalive-min-time", kDuration, "5s", kUsed,
     "Least time between two pings of a client."},
    {kMember, "grpc-keepalive-interval", kDuration, "2h", kUsed,
     "Time between the server's pings; 0: none."},
    {kMember, "grpc-keepalive-timeout", kDuration, "20s", kUsed,
     "Wait for the answer to a ping before the connection is closed."},
    {kMember, "socket-reuse-port", kBool, "false", kUsed, "Set SO_REUSEPORT on listeners."},
    {kMember, "socket-reuse-address", kBool, "false", kInert,
     "Set SO_REUSEADDR on listeners, which is always done."},
    {kMember, "enable-grpc-gateway", kBool, "true", kUsed, "Serve the JSON gateway."},
    {kMember, "raft-read-timeout", kDuration, "5s", kOff, "Read timeout between members."},
    {kMember, "raft-write-timeout", kDuration, "5s", kOff, "Write timeout between members."},
    {kMember, "feature-gates", kFeatureGates, "", kUsed,
     "Switches of unfinished features, name=true|false, separated by commas."},

    {kClustering, "initial-advertise-peer-urls", kUrls, "http://localhost:2380", kUsed,
     "This member's peer addresses, told to the other members."},
    {kClustering, "initial-cluster", kString, "default=http://localhost:2380", kUsed,
     "All members at bootstrap: name=url,name=url,..."},
    {kClustering, "initial-cluster-state", kChoice, "new", kUsed,
     "'new' for a cluster that is born, 'existing' for one that is joined.", "new|existing"},
    {kClustering, "initial-cluster-token", kString, "etcd-cluster", kUsed,
     "Keeps clusters with equal addresses apart."},
    {kClustering, "advertise-client-urls", kUrls, "http://localhost:2379", kUsed,
     "This member's client addresses, told to clients."},
    {kClustering, "discovery-token", kString, "", kOff, "Discovery service: the token."},
    {kClustering, "discovery-endpoints", kUniqueStrings, "", kOff,
     "Discovery service: its addresses."},
    {kClustering, "discovery-dial-timeout", kDuration, "2s", kInert, "Discovery service."},
    {kClustering, "discovery-request-timeout", kDuration, "5s", kInert, "Discovery service."},
    {kClustering, "discovery-keepalive-time", kDuration, "2s", kInert, "Discovery service."},
    {kClustering, "discovery-keepalive-timeout", kDuration, "6s", kInert, "Discovery service."},
    {kClustering, "discovery-insecure-transport", kBool, "true", kInert, "Discovery service."},
    {kClustering, "discovery-insecure-skip-tls-verify", kBool, "false", kInert,
     "Discovery service."},
    {kClustering, "discovery-cert", kString, "", kOff, "Discovery service."},
    {kClustering, "discovery-key", kString, "", kOff, "Discovery service."},
    {kClustering, "discovery-cacert", kString, "", kOff, "Discovery service."},
    {kClustering, "discovery-user", kString, "", kOff, "Discovery service."},
    {kClustering, "discovery-password", kString, "", kOff, "Discovery service."},
    {kClustering, "discovery-fallback", kChoice, "exit", kOff, "Discovery service.", "exit|proxy"},
    {kClustering, "discovery-srv", kString, "", kOff, "Domain whose SRV records name the members."},
    {kClustering, "discovery-srv-name", kString, "", kOff, "Suffix of the SRV service name."},
    {kClustering, "strict-reconfig-check", kBool, "true", kUsed,
     "Refuse membership changes that would lose the quorum."},
    {kClustering, "pre-vote", kBool, "true", kUsed, "Ask before campaigning (raft PreVote)."},
    {kClustering, "auto-compaction-retention", kString, "0", kUsed,
     "History kept by automatic compaction: hours, revisions, or a time like 30m; 0: off."},
    {kClustering, "auto-compaction-mode", kString, "periodic", kUsed,
     "What the retention counts: 'periodic' time or 'revision's."},
    {kClustering, "v2-deprecation", kChoices, "write-only", kInert, "Deprecated.",
     "write-only|write-only-skip-check|write-only-drop-data|gone"},

    {kSecurity, "cert-file", kString, "", kOff, "Certificate of the client port."},
    {kSecurity, "key-file", kString, "", kOff, "Key of the client port."},
    {kSecurity, "client-cert-file", kString, "", kOff, "Certificate for the server's own calls."},
    {kSecurity, "client-key-file", kString, "", kOff, "Key for the server's own calls."},
    {kSecurity, "client-cert-auth", kBool, "false", kOff, "Ask clients for certificates."},
    {kSecurity, "client-crl-file", kString, "", kOff, "Revoked client certificates."},
    {kSecurity, "client-cert-allowed-hostname", kString, "", kOff,
     "Names of which a client's certificate must have one."},
    {kSecurity, "trusted-ca-file", kString, "", kOff, "Authorities of client certificates."},
    {kSecurity, "auto-tls", kBool, "false", kOff, "Make a certificate for the client port."},
    {kSecurity, "peer-cert-file", kString, "", kOff, "Certificate between members."},
    {kSecurity, "peer-key-file", kString, "", kOff, "Key between members."},
    {kSecurity, "peer-client-cert-file", kString, "", kOff, "Certificate for calls to members."},
    {kSecurity, "peer-client-key-file", kString, "", kOff, "Key for calls to members."},
    {kSecurity, "peer-client-cert-auth", kBool, "false", kOff, "Ask members for certificates."},
    {kSecurity, "peer-trusted-ca-file", kString, "", kOff, "Authorities of peer certificates."},
    {kSecurity, "peer-cert-allowed-cn", kString, "", kOff, "Common names allowed to members."},
    {kSecurity, "peer-cert-allowed-hostname", kString, "", kOff, "Names allowed to members."},
    {kSecurity, "peer-auto-tls", kBool, "false", kOff, "Make a certificate for the peer port."},
    {kSecurity, "peer-crl-file", kString, "", kOff, "Revoked peer certificates."},
    {kSecurity, "peer-skip-client-san-verification", kBool, "false", kOff,
     "Do not compare a member's certificate with its address."},
    {kSecurity, "self-signed-cert-validity", kUint, "1", kInert,
     "Years that certificates made by the server last."},
    {kSecurity, "cipher-suites", kString, "", kOff, "TLS cipher suites."},
    {kSecurity, "tls-min-version", kString, "TLS1.2", kOff, "Lowest TLS version."},
    {kSecurity, "tls-max-version", kString, "", kOff, "Highest TLS version."},
    {kSecurity, "cors", kCorsOrigins, "*", kUsed, "Origins allowed to browsers."},
    {kSecurity, "host-whitelist", kUniqueStrings, "*", kUsed,
     "Host names that HTTP requests may carry."},

    {kAuth, "auth-token", kString, "simple", kOff, "Kind of authentication tokens."},
    {kAuth, "bcrypt-cost", kUint, "10", kInert, "Strength of password hashes."},
    {kAuth, "auth-token-ttl", kUint, "300", kInert, "Seconds that a simple token lasts."},

    {kMonitoring, "enable-pprof", kBool, "false", kOff, "Serve Go's profiles."},
    {kMonitoring, "metrics", kString, "basic", kUsed, "Detail of metrics: 'basic' or 'extensive'."},
    {kMonitoring, "listen-metrics-urls", kUrls, "", kUsed, "Addresses for /metrics and /health."},
    {kMonitoring, "warning-unary-request-duration", kDuration, "300ms", kUsed,
     "Calls that last longer are logged; 0: 300ms."},
    {kMonitoring, "warning-apply-duration", kDuration, "100ms", kUsed,
     "Requests whose application lasts longer are logged."},

    {kLogging, "logger", kString, "zap", kUsed, "Only 'zap': structured lines."},
    {kLogging, "log-outputs", kUniqueStrings, "default", kUsed,
     "'stderr', 'stdout' or files, separated by commas; 'default' is stderr."},
    {kLogging, "log-level", kString, "info", kUsed,
     "debug, info, warn, error, dpanic, panic or fatal."},
    {kLogging, "log-format", kString, "json", kOff, "Form of log lines."},
    {kLogging, "enable-log-rotation", kBool, "false", kOff, "Rotate the log file."},
    {kLogging, "log-rotation-config-json", kString,
     R"({"maxsize": 100, "maxage": 0, "maxbackups": 0, "localtime": false, "compress": false})",
     kInert, "How the log file is rotated."},

    {kTracing, "enable-distributed-tracing", kBool, "false", kOff, "Send traces."},
    {kTracing, "distributed-tracing-address", kString, "localhost:4317", kInert, "Where to."},
    {kTracing, "distributed-tracing-service-name", kString, "etcd", kInert, "Service name."},
    {kTracing, "distributed-tracing-instance-id", kString, "", kInert, "Instance id."},
    {kTracing, "distributed-tracing-sampling-rate", kInt, "0", kInert, "Samples per million."},

    {kFeatures, "corrupt-check-time", kDuration, "0s", kOff,
     "Time between comparisons of the members' data; 0: none."},
    {kFeatures, "compact-hash-check-time", kDuration, "1m", kUsed,
     "Time between comparisons of compaction hashes, with the feature CompactHashCheck."},
    {kFeatures, "compaction-batch-limit", kInt, "0", kInert,
     "Without effect: compaction works in pieces of its own size."},
    {kFeatures, "compaction-sleep-interval", kDuration, "0s", kInert,
     "Without effect: compaction rests as long as it works."},
    {kFeatures, "watch-progress-notify-interval", kDuration, "0s", kUsed,
     "Time between progress messages of watches; 0: 10m."},
    {kFeatures, "bootstrap-defrag-threshold-megabytes", kUint, "0", kUsed,
     "Free space that makes the server defragment at boot; 0: never."},
    {kFeatures, "max-learners", kInt, "1", kUsed, "Learners that the cluster may have."},
    {kFeatures, "downgrade-check-time", kDuration, "5s", kOff,
     "Time between looks at the downgrade status; 0: none.", "", "0s"},

    {kUnsafe, "force-new-cluster", kBool, "false", kOff, "Make a one-member cluster of this one."},
    {kUnsafe, "unsafe-no-fsync", kBool, "false", kOff, "Do not wait for the disk: loses data."},

    {kHidden, "config-file", kString, "", kOff, ""},
    {kHidden, "version", kBool, "false", kUsed, ""},
    // Of releases long gone.
    {kHidden, "cluster-active-size", kIgnored, "", kInert, ""},
    {kHidden, "cluster-remove-delay", kIgnored, "", kInert, ""},
    {kHidden, "cluster-sync-interval", kIgnored, "", kInert, ""},
    {kHidden, "config", kIgnored, "", kInert, ""},
    {kHidden, "force", kIgnored, "", kInert, ""},
    {kHidden, "max-result-buffer", kIgnored, "", kInert, ""},
    {kHidden, "max-retry-attempts", kIgnored, "", kInert, ""},
    {kHidden, "peer-heartbeat-interval", kIgnored, "", kInert, ""},
    {kHidden, "peer-election-timeout", kIgnored, "", kInert, ""},
    {kHidden, "retry-interval", kIgnored, "", kInert, ""},
    {kHidden, "snapshot", kIgnored, "", kInert, ""},
    {kHidden, "v", kIgnored, "", kInert, ""},
    {kHidden, "vv", kIgnored, "", kInert, ""},
    {kHidden, "test.coverprofile", kIgnored, "", kInert, ""},
    {kHidden, "test.outputdir", kIgnored, "", kInert, ""},
};

}  // namespace

std::span<const FlagDefinition> AllFlags() { return kFlags; }

std::string EnvironmentName(std::string_view flag) {
  std::string name = "ETCD_";
  for (const char c : flag) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

}  // namespace kvorum::server::flags
