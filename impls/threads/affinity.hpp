// Binding threads to processors, so that a measurement does not depend on where the system happens
// to put them: some pack the threads of a process on one processor while others are idle.
#pragma once

#include <span>
#include <vector>

namespace bptt::threads {

/// The processors this process was allowed to use when it started.
const std::vector<int>& processors();

/// Whether so many threads have to take turns on processors(). (A library that asks the system how
/// many there are is told what the thread that asks is bound to.)
bool more_than_processors(int threads);

/// Binds the calling thread to the k-th of processors(), counted round and round. False where the
/// system does not allow it.
bool bind_this_thread(int k);

/// Gives the calling thread all of processors() again.
bool unbind_this_thread();

/// The processor that the calling thread is on; -1 where the system does not tell.
int this_processor();

/// Where the calling thread is on `processor`, has it go to another one; false if it may be on no
/// other. Systems wake a thread on the processor of the one that wakes it, and let it share that
/// one for milliseconds.
bool make_way_on(int processor);

/// The same as bind_this_thread for another thread of this process, by its id as in
/// /proc/self/task.
bool bind_thread(int thread_id, int k);

/// Ids of the threads that libraries had started before main(), the main thread excepted, in the
/// order in which they were started. (OpenBLAS starts its pool when it is loaded.)
std::span<const int> threads_before_main();

}  // namespace bptt::threads
