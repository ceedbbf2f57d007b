// SPDX-License-Identifier: GPL-2.0
#include "terminal.hh"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <string>
#include <string_view>

#include "view_options.hh"

namespace wg::tool {
namespace {

TEST(Waiting, TakesSignalsTimeAndAReaderThatGoes) {
  Waiter waiter;
  EXPECT_FALSE(waiter.wait(steady_seconds() + 0.01, -1, -1).ends);
  raise(SIGWINCH);
  const Waiter::Happened resized = waiter.wait(steady_seconds() + 5, -1, -1);
  EXPECT_TRUE(resized.resized);
  EXPECT_FALSE(resized.resumed || resized.ends);
  raise(SIGCONT);
  const Waiter::Happened resumed = waiter.wait(steady_seconds() + 5, -1, -1);
  EXPECT_TRUE(resumed.resumed);
  EXPECT_FALSE(resumed.resized || resumed.ends);
  raise(SIGTERM);
  EXPECT_TRUE(waiter.wait(steady_seconds() + 5, -1, -1).ends);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_FALSE(waiter.wait(steady_seconds() + 0.01, -1, ends[1]).ends);
  close(ends[0]);
  EXPECT_TRUE(waiter.wait(steady_seconds() + 5, -1, ends[1]).ends);
  close(ends[1]);
  // Left to the end: it must not kill this test.
  raise(SIGINT);
}

std::string keys(std::string_view bytes) {
  std::string text;
  for (const KeyPress &press : parse_keys(bytes)) {
    text += press.key == Key::kLetter ? press.letter : static_cast<char>('0' + int(press.key));
  }
  return text;
}

TEST(Keys, AreReadFromLettersAndSequences) {
  EXPECT_EQ(keys("q\x03"), "00");
  EXPECT_EQ(keys("kj\x1b[A\x1b[B\x1bOA\x1bOB"), "121212");
  EXPECT_EQ(keys("\x1b[5~\x1b[6~ \x1b[H\x1b[4~gG"), "3445656");
  EXPECT_EQ(keys("ar\x0ct"), "ar7t");
  EXPECT_EQ(keys("\x1b[1;5Aa\x1b"), "a");
  EXPECT_EQ(keys("\x1b[200\x1b"), "");
  EXPECT_EQ(keys("\x1b"), "");
  EXPECT_EQ(keys(std::string_view("\0\x80\xff", 3)), "");
}

// A terminal, and what is written to it.
class ScreenTest : public testing::Test {
 protected:
  ScreenTest() { EXPECT_EQ(openpty(&master_, &terminal_, nullptr, nullptr, nullptr), 0); }
  ~ScreenTest() override {
    close(master_);
    close(terminal_);
  }

  // What was written, up to these bytes: the kernel hands it over a little later.
  std::string written(std::string_view last) const {
    std::string text;
    pollfd file{master_, POLLIN, 0};
    while (!text.ends_with(last) && poll(&file, 1, 5000) == 1) {
      char bytes[4096];
      const ssize_t len = read(master_, bytes, sizeof(bytes));
      if (len <= 0) break;
      text.append(bytes, static_cast<size_t>(len));
    }
    return text;
  }

  tcflag_t modes() const {
    termios now{};
    tcgetattr(terminal_, &now);
    return now.c_lflag;
  }

  int master_ = -1, terminal_ = -1;
};

TEST_F(ScreenTest, IsTakenAndGivenBack) {
  const tcflag_t before = modes();
  {
    const Screen screen(terminal_, terminal_);
    EXPECT_EQ(written("7l"), "\x1b[?1049h\x1b[?25l\x1b[?7l");
    EXPECT_EQ(modes() & (ICANON | ECHO | ISIG), 0u);
  }
  EXPECT_EQ(written("1049l"), "\x1b[?7h\x1b[?25h\x1b[?1049l");
  EXPECT_EQ(modes(), before);
}

TEST_F(ScreenTest, IsGivenBackWhenSomethingFails) {
  const tcflag_t before = modes();
  try {
    const Screen screen(terminal_, terminal_);
    throw std::runtime_error("");
  } catch (const std::runtime_error &) {
  }
  EXPECT_EQ(modes(), before);
  EXPECT_TRUE(written("1049l").ends_with("\x1b[?1049l"));
}

TEST_F(ScreenTest, DrawsFromTheTopAndClearsTheRest) {
  const Screen screen(terminal_, terminal_);
  written("7l");
  screen.draw({"a", "", "b"});
  // The terminal itself makes a return and a line feed of a line feed.
  EXPECT_EQ(written("\x1b[J"), "\x1b[Ha\x1b[K\r\r\n\x1b[K\r\r\nb\x1b[K\x1b[J");
}

TEST_F(ScreenTest, KnowsItsSize) {
  const Screen screen(terminal_, terminal_);
  EXPECT_EQ(screen.size().width, 80u) << "a terminal that does not know";
  winsize size{};
  size.ws_row = 7;
  size.ws_col = 33;
  ASSERT_EQ(ioctl(master_, TIOCSWINSZ, &size), 0);
  EXPECT_EQ(screen.size().width, 33u);
  EXPECT_EQ(screen.size().height, 7u);
}

}  // namespace
}  // namespace wg::tool
