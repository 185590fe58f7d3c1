#pragma once
// The house rules a scanner can check. Each takes one file, or all of them, and returns the
// breaches; tree_test.cc applies them to the source tree, rules_test.cc to snippets known bad.

#include <vector>

#include "tests/tidy/code_view.h"

namespace kvorum::tidy {

// Folders include only what lies below them (ARCHITECTURE.md, "Folders and layers").
Findings CheckLayers(const SourceFile& file);

// Each big library is named in its own corner only.
Findings CheckLibraryCorners(const SourceFile& file);

// raft/ has no thread, clock, random source or file of its own.
Findings CheckRaftIsPure(const SourceFile& file);

// Forms of co_await that g++ 12 miscompiles, each reproduced with g++ 12.2:
//  - in a condition, or beside && || ?: in the same expression;
//  - with a lambda that owns captures as an argument: it is copied bitwise and destroyed twice;
//  - with an aggregate made on the spot as an argument: likewise;
// and one that is wrong with every compiler: a coroutine lambda with captures called on the spot,
// whose captures die with the temporary closure at the first suspension.
// Name the awaited value, the lambda or the aggregate first.
Findings CheckCoroutines(const SourceFile& file);

// The main header of each module opens with its contract.
Findings CheckContract(const SourceFile& file);

Findings CheckPragmaOnce(const SourceFile& file);
Findings CheckLineLength(const SourceFile& file);
Findings CheckNoTabs(const SourceFile& file);

// Work left over names its issue: TODO(#12). There is no other mark.
Findings CheckTodos(const SourceFile& file);

// Tests wait for a condition or move a clock.
Findings CheckNoSleepInTests(const SourceFile& file);

// Every .cc and .proto is named by the CMakeLists.txt of its folder or of one above it.
Findings CheckNamedByCMake(const std::vector<SourceFile>& files);

// Every header is included by another file.
Findings CheckHeadersAreIncluded(const std::vector<SourceFile>& files);

}  // namespace kvorum::tidy
