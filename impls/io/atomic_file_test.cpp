// A file that is written whole or not at all.
#include "impls/io/atomic_file.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "impls/api/error.hpp"
#include "impls/io/test_folder.hpp"

namespace bptt::io {
namespace {

using ::testing::HasSubstr;

class AtomicFileTest : public ::testing::Test {
 protected:
  static void write(AtomicFile& file, const std::string& text) { file.commit(text); }
  std::string text() const {
    std::ostringstream all;
    all << std::ifstream(path).rdbuf();
    return all.str();
  }
  std::ptrdiff_t files() const {
    return std::distance(std::filesystem::directory_iterator(folder.path()), {});
  }
  static std::string complaint(const std::string& path) {
    try {
      AtomicFile file(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::unavailable);
      return error.what();
    }
    return "";
  }

  const TestFolder folder;
  const std::string path = folder / "weights";
};

TEST_F(AtomicFileTest, AppearsWithItsContents) {
  AtomicFile file(path);
  EXPECT_FALSE(std::filesystem::exists(path));
  write(file, std::string("a\0b\n", 4));
  EXPECT_EQ(text(), std::string("a\0b\n", 4));
  EXPECT_EQ(files(), 1);
  struct stat status = {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  const mode_t mask = umask(0);
  umask(mask);
  EXPECT_EQ(status.st_mode & 0777, 0666 & ~mask);
}

TEST_F(AtomicFileTest, WithoutACommitNothingChanges) {
  std::ofstream(path) << "old";
  {
    AtomicFile file(path);
    EXPECT_EQ(files(), 2);
  }
  EXPECT_EQ(text(), "old");
  EXPECT_EQ(files(), 1);
  {
    AtomicFile file(path);
    write(file, "new");
  }
  EXPECT_EQ(text(), "new");
  EXPECT_EQ(files(), 1);
}

TEST_F(AtomicFileTest, ALinkStaysALink) {
  std::ofstream(path) << "old";
  std::filesystem::create_symlink(path, folder / "link");
  AtomicFile file(folder / "link");
  write(file, "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(text(), "new");
}

TEST_F(AtomicFileTest, WhatCannotBeWrittenIsToldAtOnce) {
  EXPECT_THAT(complaint(path + "/x"), HasSubstr("weights/x: cannot write it: "));
  EXPECT_THAT(complaint(folder.path()), HasSubstr("it is there, and not a file"));
  // A device must not be replaced by a file.
  EXPECT_THAT(complaint("/dev/null"), HasSubstr("/dev/null: cannot write it: "));
  EXPECT_EQ(files(), 0);
}

}  // namespace
}  // namespace bptt::io
