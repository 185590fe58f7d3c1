#pragma once
// Where a thread is, for a person to read: function names with their addresses.

#include <span>
#include <string>

namespace kvorum {

// Fills `frames` with return addresses, innermost first, from the caller's caller on; the filled
// part. Unwinds by the tables every binary carries, so code without frame pointers is seen too.
std::span<void* const> CaptureStack(std::span<void*> frames);

// "kvorum::wal::Wal::Save() 0x5581c0de"; "?" for a function without a symbol.
std::string DescribeFrame(void* frame);

}  // namespace kvorum
