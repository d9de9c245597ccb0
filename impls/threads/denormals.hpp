// What becomes of denormal numbers: a matter of each thread, and a factor of ten in time. Kept by
// everybody here.
#pragma once

namespace bptt::threads {

/// The bits of the calling thread that say so: FTZ and DAZ, or what the processor has instead. 0
/// where denormals are kept.
unsigned denormal_mode();

/// Whether denormals are taken for zero on the calling thread.
inline bool denormals_flushed() {
  return denormal_mode() != 0;
}

/// Has them kept, on the calling thread and on those it starts from now on. Libraries built with
/// -ffast-math change it for the whole process as they are loaded, so a program calls this first.
void keep_denormals();

}  // namespace bptt::threads
