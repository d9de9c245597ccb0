# Toolchain: arm64 Linux, with Debian's cross compiler and its arm64 packages beside the machine's own
# (.github/workflows/verify.yml has the list). Unit tests run under qemu; those that start programs
# do not.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
