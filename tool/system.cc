// SPDX-License-Identifier: GPL-2.0
#include "system.hh"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "error.hh"
#include "secret.hh"

namespace wg::tool {
namespace {

constexpr size_t kMaxOutputLen = 1 << 20;
constexpr int kNotFound = 127;

volatile std::sig_atomic_t caught_signal = 0;

void note_signal(int signal) {
  caught_signal = signal;
}

void close_fd(int &fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

// A pipe whose ends children do not inherit by accident.
struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() {
    if (pipe2(ends, O_CLOEXEC) != 0) throw SystemError(errno);
  }
  Pipe(const Pipe &) = delete;
  Pipe &operator=(const Pipe &) = delete;
  ~Pipe() {
    close_fd(ends[0]);
    close_fd(ends[1]);
  }
};

int status_of(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

// Signals that end us are not to end what a hook starts differently from what it expects.
void restore_signals(posix_spawnattr_t *attributes) {
  sigset_t defaults;
  sigemptyset(&defaults);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
    struct sigaction now {};
    sigaction(signal, nullptr, &now);
    // What was ignored from the start, as by nohup(1), is to stay so; SIGPIPE we ignore ourselves.
    if (now.sa_handler != SIG_IGN || signal == SIGPIPE) sigaddset(&defaults, signal);
  }
  posix_spawnattr_setsigdefault(attributes, &defaults);
  posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF);
}

class RealSystem : public System {
 public:
  int run(const std::vector<std::string> &arguments, std::string_view input) override {
    return start(arguments, input, nullptr);
  }

  int run_and_read(const std::vector<std::string> &arguments, std::string &output) override {
    output.clear();
    return start(arguments, {}, &output);
  }

  bool has_program(const std::string &name) override { return !find_program(name).empty(); }

  bool is_program_link(const std::string &name) override {
    struct stat status;
    return lstat(find_program(name).c_str(), &status) == 0 && S_ISLNK(status.st_mode);
  }

  std::string environment(const std::string &name) override {
    const char *value = std::getenv(name.c_str());
    return value != nullptr ? value : "";
  }

  std::string read_text(const std::string &path) override {
    std::ifstream file(path);
    std::string text(kMaxOutputLen, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    return text;
  }

  void write_text(const std::string &path, const std::string &text) override {
    const std::string directory = path.substr(0, path.rfind('/'));
    if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) throw SystemError(errno);
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) throw SystemError(errno);
    const OnExit close_it([fd] { close(fd); });
    const ssize_t put = write(fd, text.data(), text.size());
    if (put != static_cast<ssize_t>(text.size())) throw SystemError(put < 0 ? errno : ENOSPC);
  }

  std::vector<std::string> list_files(const std::string &directory) override {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto &entry : std::filesystem::directory_iterator(directory, ignored)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  void remove_file(const std::string &path) override { unlink(path.c_str()); }

  int lock(const std::string &path) override {
    const std::string directory = path.substr(0, path.rfind('/'));
    if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) throw SystemError(errno);
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) throw SystemError(errno);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
    const int error = errno;
    close(fd);
    if (error != EWOULDBLOCK) throw SystemError(error);
    return -1;
  }

  void unlock(int handle) override { close(handle); }

  uint64_t namespace_id() override {
    struct stat status;
    return stat("/proc/self/ns/net", &status) == 0 ? status.st_ino : 0;
  }

  std::string read_sysctl(const std::string &path) override {
    std::ifstream file("/proc/sys/" + path);
    std::string line;
    std::getline(file, line);
    return line;
  }

  void write_sysctl(const std::string &path, const std::string &value) override {
    const std::string file = "/proc/sys/" + path;
    const int fd = open(file.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) throw SystemError(errno);
    const OnExit close_it([fd] { close(fd); });
    const ssize_t put = write(fd, value.data(), value.size());
    if (put != static_cast<ssize_t>(value.size())) throw SystemError(put < 0 ? errno : EIO);
  }

  bool exists(const std::string &path) override { return access(path.c_str(), F_OK) == 0; }

  int stop_signal() override { return caught_signal; }

 private:
  // Return: its path, or nothing.
  static std::string find_program(const std::string &name) {
    if (name.find('/') != std::string::npos) return access(name.c_str(), X_OK) == 0 ? name : "";
    const char *path = std::getenv("PATH");
    std::string_view rest = path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin";
    while (!rest.empty()) {
      const size_t colon = std::min(rest.find(':'), rest.size());
      std::string file = std::string(rest.substr(0, colon)) + "/" + name;
      if (access(file.c_str(), X_OK) == 0) return file;
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
    return {};
  }

  static int start(const std::vector<std::string> &arguments, std::string_view input,
                   std::string *output) {
    std::vector<char *> words;
    words.reserve(arguments.size() + 1);
    for (const std::string &word : arguments) words.push_back(const_cast<char *>(word.c_str()));
    words.push_back(nullptr);

    Pipe in, out;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    const OnExit destroy([&] {
      posix_spawn_file_actions_destroy(&actions);
      posix_spawnattr_destroy(&attributes);
    });
    restore_signals(&attributes);
    // Without a text for it the child keeps our own input.
    if (!input.empty()) posix_spawn_file_actions_adddup2(&actions, in.ends[0], STDIN_FILENO);
    if (output != nullptr) posix_spawn_file_actions_adddup2(&actions, out.ends[1], STDOUT_FILENO);
    pid_t child = -1;
    const int error = posix_spawnp(&child, words[0], &actions, &attributes, words.data(), environ);
    if (error == ENOENT) return kNotFound;
    if (error != 0) throw SystemError(error);
    close_fd(in.ends[0]);
    close_fd(out.ends[1]);
    feed(in.ends[1], input);
    close_fd(in.ends[1]);
    if (output != nullptr) collect(out.ends[0], *output);
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
      if (errno != EINTR) throw SystemError(errno);
    }
    return status_of(status);
  }

  // A child that reads nothing must not end us; its status tells.
  static void feed(int fd, std::string_view input) {
    struct sigaction ignore {};
    struct sigaction old {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, &old);
    const OnExit restore([&] { sigaction(SIGPIPE, &old, nullptr); });
    while (!input.empty()) {
      const ssize_t put = write(fd, input.data(), input.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return;
      input.remove_prefix(static_cast<size_t>(put));
    }
  }

  static void collect(int fd, std::string &output) {
    char buffer[4096];
    for (;;) {
      const ssize_t got = read(fd, buffer, sizeof(buffer));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return;
      // What is beyond the bound is read all the same, so that the program comes to its end.
      const size_t room = kMaxOutputLen - std::min(kMaxOutputLen, output.size());
      output.append(buffer, std::min(room, static_cast<size_t>(got)));
    }
  }
};

}  // namespace

std::unique_ptr<System> open_system() {
  return std::make_unique<RealSystem>();
}

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = note_signal;
  sigemptyset(&action.sa_mask);
  // No SA_RESTART: what waits is to notice.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction old {};
    sigaction(signal, nullptr, &old);
    if (old.sa_handler == SIG_IGN) continue;
    sigaction(signal, &action, nullptr);
  }
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, nullptr);
}

}  // namespace wg::tool
