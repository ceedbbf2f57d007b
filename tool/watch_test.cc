// SPDX-License-Identifier: GPL-2.0
#include "watch.hh"

#include <gtest/gtest.h>

#include "test_peers.hh"
#include "utf8.hh"

namespace wg::tool {
namespace {

constexpr Style kPlain{false, true, kTestNow_s};
constexpr Style kColored{true, true, kTestNow_s};

class Picture : public testing::Test {
 protected:
  Picture() : device_(test_device()) {
    frame_.name = "wg0";
    frame_.clock = "10:11:12";
    frame_.style = kPlain;
    frame_.views.push_back(test_view(device_));
  }

  Device device_;
  Frame frame_;
};

TEST_F(Picture, HasTotalsPeersAndKeys) {
  const Page page = render(frame_, 200, 12);
  ASSERT_EQ(page.lines.size(), 12u);
  EXPECT_EQ(page.lines[0], "10:11:12  wg0  5 peers  1 up  1 idle  1 stale  1 never  1 rejected");
  EXPECT_EQ(page.lines[1], "received 0 B/s, 1.51 KiB in all   sent 0 B/s, 270 B in all");
  EXPECT_TRUE(page.lines[2].starts_with("INTERFACE  NAME"));
  EXPECT_TRUE(page.lines[7].starts_with("wg0        BQUF"));
  EXPECT_EQ(page.lines[8], "");
  EXPECT_EQ(page.lines[11], "q quit  j/k scroll  sort: [a=age] r=rx t=tx n=name p=key e=endpoint");
}

TEST_F(Picture, ScrollsAndStopsAtTheEnd) {
  frame_.scroll = 1;
  Page page = render(frame_, 200, 6);
  EXPECT_EQ(page.num_rows, 2u);
  ASSERT_EQ(page.lines.size(), 6u);
  EXPECT_TRUE(page.lines[3].starts_with("wg0        laptop"));
  EXPECT_TRUE(page.lines[5].ends_with("  2-3 of 5"));
  frame_.scroll = SIZE_MAX / 2;
  page = render(frame_, 200, 6);
  EXPECT_EQ(page.scroll, 3u);
  EXPECT_TRUE(page.lines[4].starts_with("wg0        BQUF"));
  EXPECT_EQ(render(frame_, 200, 100).scroll, 0u);
}

TEST_F(Picture, FitsEveryTerminal) {
  frame_.style = kColored;
  for (size_t width = 0; width < 130; ++width) {
    for (size_t height = 0; height < 12; ++height) {
      const Page page = render(frame_, width, height);
      EXPECT_LE(page.lines.size(), height);
      for (const std::string &line : page.lines) EXPECT_LE(display_width(line), width);
    }
  }
}

TEST_F(Picture, SaysWhenTheInterfaceIsGone) {
  frame_.views.clear();
  const Page page = render(frame_, 80, 5);
  EXPECT_EQ(page.lines[0], "10:11:12  wg0  0 peers  (no interface now)");
  EXPECT_EQ(page.lines[3], "");
}

}  // namespace
}  // namespace wg::tool
