#pragma once
// Answers of the gateway as JSON, in the form etcd gives them: field names as in the proto files,
// fields at their default left out, 64-bit integers and bytes as strings. Pure functions.

#include <google/protobuf/message.h>

#include <string>
#include <string_view>

#include "base/status.h"

namespace kvorum::api {

StatusOr<std::string> PrintJson(const google::protobuf::Message& message);

// {"code":5,"message":"..."}: the form of every error.
std::string ErrorJson(int code, std::string_view message);

}  // namespace kvorum::api
