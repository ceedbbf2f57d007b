// SPDX-License-Identifier: GPL-2.0
#include "names.hh"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "error.hh"
#include "test_file.hh"

namespace wg::tool {
namespace {

const std::string kKeyA = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const std::string kKeyB = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
const std::string kPeerA = "[Peer]\nPublicKey = " + kKeyA + "\n";
const std::string kPeerB = "[Peer]\nPublicKey = " + kKeyB + "\n";

std::string name_of(const Names &names, const std::string &key) {
  const auto it = names.find(*PublicKey::parse(key));
  return it == names.end() ? "" : it->second;
}

// Return: the names of A and B.
std::string both(const std::string &text) {
  const Names names = parse_names(text);
  return name_of(names, kKeyA) + "|" + name_of(names, kKeyB);
}

TEST(Names, StandAboveAPeer) {
  EXPECT_EQ(both("# Name = a\n" + kPeerA + "\n# name=b\n" + kPeerB), "a|b");
  EXPECT_EQ(both("# friendly_name = a\n" + kPeerA + "# friendly_name=b\n" + kPeerB), "a|b");
  EXPECT_EQ(both("### Client a\n" + kPeerA + "\n### Client b c\n" + kPeerB), "a|b c");
  EXPECT_EQ(both("### begin a ###\n" + kPeerA + "### end a ###\n### begin b ###\n" + kPeerB +
                 "### end b ###\n"),
            "a|b");
  EXPECT_EQ(both("# Name = a\n# bought in 2020\n#\n" + kPeerA), "a|");
}

TEST(Names, StandWithinAPeer) {
  EXPECT_EQ(both("[Peer]\n# Name = a\nPublicKey = " + kKeyA + "\n" + kPeerB + "#Name=b"), "a|b");
  EXPECT_EQ(both(kPeerA + "# friendly_name = a\nAllowedIPs = ::/0\n\n" + kPeerB), "a|");
  EXPECT_EQ(both(kPeerA + "AllowedIPs = ::/0\n# Name = a\n\n" + kPeerB), "a|");
  EXPECT_EQ(both(kPeerA + "# Name = a\n\n# Name = b\n" + kPeerB), "a|b");
}

TEST(Names, OfTheBlockWinAndTheFirstOfSeveral) {
  EXPECT_EQ(both("# Name = above\n[Peer]\n# Name = a\n# Name = later\nPublicKey=" + kKeyA), "a|");
  EXPECT_EQ(both("# Name = a\n### Client other\n" + kPeerA), "a|");
  EXPECT_EQ(both("# Name = a\n" + kPeerA + "\n# Name = again\n" + kPeerA), "a|");
}

TEST(Names, DoNotReachPastAnEmptyLineOrAnotherBlock) {
  EXPECT_EQ(both("# Name = a\n\n" + kPeerA), "|");
  EXPECT_EQ(both("### Client a\n \t\n" + kPeerA), "|");
  EXPECT_EQ(both("# Name = server\n[Interface]\nListenPort = 5\n" + kPeerA), "|");
  EXPECT_EQ(both("[Interface]\n# Name = server\nListenPort = 5\n" + kPeerA), "|");
  EXPECT_EQ(both("[Interface]\n# Name = a\n" + kPeerA), "a|");
}

TEST(Names, AreReadAsConfigurationIs) {
  EXPECT_EQ(both("# Name = a\r\n[ PEER ] # x\r\n\tpublic key=" + kKeyA + "# x\r\n"), "a|");
  EXPECT_EQ(both("#Name = a\n[Peer]\nPublicKey = " + kKeyA + "x\n"), "|");
  EXPECT_EQ(both("#Name = a\n[Peer]\nPresharedKey = " + kKeyA + "\n"), "|");
  EXPECT_EQ(both("#Name = a\n[Peer]\n" + kKeyA + "\n"), "|");
  EXPECT_EQ(both(""), "|");
}

TEST(Names, AreNotTakenFromOtherComments) {
  for (const char *comment :
       {"# a", "# Name", "# Name =", "# Names = a", "# Nick Name = a", "### Client", "### Client ",
        "## Client a", "#### Client a", "### begin a", "### begin ###", "### end a ###", "#", "###",
        "# ### Client a", "; Name = a"}) {
    EXPECT_EQ(both(std::string(comment) + "\n" + kPeerA), "|") << comment;
  }
}

TEST(Names, AreFitForATerminal) {
  EXPECT_EQ(both("# Name = a\x1b]0;x\x07\n" + kPeerA), "a?]0;x?|");
  const std::string expected = std::string(kMaxNameLen, 'x') + "|";
  EXPECT_EQ(both("# Name = " + std::string(1000, 'x') + "\n" + kPeerA), expected);
}

// A directory of configuration files.
class NameFiles : public testing::Test {
 protected:
  void write(const std::string &name, const std::string &text) {
    std::ofstream(directory_ + "/" + name) << text;
  }

  std::string ask(NameSource &source, const std::string &device) {
    return name_of(source.names(device, err_), kKeyA);
  }

  TestDirectory files_;
  const std::string &directory_ = files_.path();
  Output err_;
};

TEST_F(NameFiles, AreOfTheirDevice) {
  write("wg0.conf", "# Name = zero\n" + kPeerA);
  write("wg1.conf", "# Name = one\n" + kPeerA);
  NameSource source({true, "", directory_});
  EXPECT_EQ(ask(source, "wg0"), "zero");
  EXPECT_EQ(ask(source, "wg1"), "one");
  EXPECT_EQ(ask(source, "wg2"), "");
  EXPECT_EQ(ask(source, "../" + directory_.substr(5) + "/wg1"), "");
  EXPECT_EQ(err_.text(), "");
  NameSource none({false, "", directory_});
  EXPECT_EQ(ask(none, "wg0"), "");
}

TEST_F(NameFiles, AreReadAgainWhenForgotten) {
  NameSource source({true, "", directory_});
  EXPECT_EQ(ask(source, "wg0"), "");
  write("wg0.conf", "# Name = zero\n" + kPeerA);
  EXPECT_EQ(ask(source, "wg0"), "");
  source.forget("wg0");
  EXPECT_EQ(ask(source, "wg0"), "zero");
}

TEST_F(NameFiles, MayBeOneForAllDevices) {
  const TextFile file("# Name = x\n" + kPeerA);
  NameSource source({true, file.path(), directory_});
  EXPECT_EQ(ask(source, "wg0"), "x");
  EXPECT_EQ(ask(source, "wg1"), "x");
  NameSource absent({true, directory_ + "/absent", ""});
  EXPECT_THROW(ask(absent, "wg0"), Error);
}

TEST_F(NameFiles, ThatAreNoFilesAreToldOnce) {
  ASSERT_EQ(mkfifo((directory_ + "/wg0.conf").c_str(), 0600), 0);
  NameSource source({true, "", directory_});
  EXPECT_EQ(ask(source, "wg0"), "");
  source.forget("wg0");
  EXPECT_EQ(ask(source, "wg0"), "");
  EXPECT_EQ(err_.text(), "No names for the peers of wg0: " + directory_ +
                             "/wg0.conf: Invalid argument (not a regular file)\n");
}

}  // namespace
}  // namespace wg::tool
