#pragma once
// --feature-gates: "Name=bool,Name=bool". Follows etcd server/features/etcd_features.go and
// pkg/featuregate.

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "server/config.h"

namespace kvorum::server::flags {

// `text` put on top of the canonical value `before`: repeated flags add up, and AllAlpha and
// AllBeta set only what nothing has set so far. InvalidArgument with etcd's text for unknown gates
// and bad values.
StatusOr<std::string> MergeFeatureGates(std::string_view before, std::string_view text);

// How a gate stands under the canonical value `gates`: as it was set, by name or by AllAlpha or
// AllBeta, else its default.
bool FeatureEnabled(std::string_view gates, std::string_view name);

// All gates as they stand under `gates`.
std::vector<Feature> AllFeatures(std::string_view gates);

}  // namespace kvorum::server::flags
