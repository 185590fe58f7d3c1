// How the allocator of the server, jemalloc, is set up; it finds this by name.
//
// Most memory is allocated on one thread and freed on another (a request's on a gRPC thread, then
// by the log, apply or watch stage), which the C library's allocator serves with locks, long walks
// of free lists and memory that stays fragmented: a put cost 12 to 15 percent more CPU with it.

// A thread of its own gives pages back to the kernel, also when the server has fallen idle: what a
// large list took must not stay taken until the next request.
extern "C" {
const char* malloc_conf = "background_thread:true";
}
