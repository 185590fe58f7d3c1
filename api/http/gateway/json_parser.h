#pragma once
// Fills a message from JSON, as strictly as etcd's gateway does and with its error texts.
//
// Protobuf's own parser takes trailing commas, unquoted keys, duplicates and more that the original
// refuses, so this one walks the message by reflection. Fields go by their name in the proto file
// or its lowerCamelCase form; unknown fields and unknown enum names are skipped; null leaves a
// field unset. Messages nested deeper than kMaxMessageDepth are refused, which bounds the stack.
//
// Follows google.golang.org/protobuf/encoding/protojson (Unmarshal with DiscardUnknown), for the
// field types of etcd's API: no maps, floats, extensions or well-known types.

#include <google/protobuf/message.h>

#include <string_view>

#include "base/status.h"

namespace kvorum::api {

// Answers nest as deep as requests, and Protobuf prints no deeper than 64.
inline constexpr int kMaxMessageDepth = 60;

// `value` is one value as JsonCutter gives it. InvalidArgument "proto: ..." when it is no such
// message, which is then half filled.
Status ParseJson(std::string_view value, google::protobuf::Message* message);

}  // namespace kvorum::api
