// SPDX-License-Identifier: GPL-2.0
#include "report.hh"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace wgbench {

void initialize(int *argc, char **argv) {
  // Before the user's, which win.
  static std::string name = argv[0];
  static std::string interleave = "--benchmark_enable_random_interleaving=true";
  static std::string repetitions = "--benchmark_repetitions=15";
  static std::string min_time = "--benchmark_min_time=0.01";
  std::vector<char *> args = {name.data(), interleave.data(), repetitions.data(), min_time.data()};
  args.insert(args.end(), argv + 1, argv + *argc);
  int num_args = static_cast<int>(args.size());
  benchmark::Initialize(&num_args, args.data());
  if (benchmark::ReportUnrecognizedArguments(num_args, args.data())) {
    throw std::runtime_error("unknown argument");
  }
}

Report::Case &Report::find_case(const std::string &topic, const std::string &name) {
  for (Case &one : cases_) {
    if (one.topic == topic && one.name == name) return one;
  }
  cases_.push_back({topic, name, {}});
  return cases_.back();
}

void Report::add(const std::string &topic, const std::string &name, const std::string &contender,
                 double value) {
  find_case(topic, name).values[contender].push_back(value);
}

void Report::ReportRuns(const std::vector<Run> &runs) {
  for (const Run &run : runs) {
    if (run.run_type != Run::RT_Iteration) continue;
    const std::string &name = run.run_name.function_name;
    const size_t first = name.find('/');
    const size_t last = name.rfind('/');
    if (run.error_occurred || first == last) {
      throw std::runtime_error(name + ": " + run.error_message);
    }
    add(name.substr(0, first), name.substr(first + 1, last - first - 1), name.substr(last + 1),
        run.counters.at("cycles").value);
  }
}

double Report::low(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 20];
}

void Report::print() {
  std::string topic;
  for (const Case &one : cases_) {
    // Left out by a filter
    if (one.values.count(contenders_[0]) == 0) continue;
    if (one.topic != topic) {
      topic = one.topic;
      fmt::print("\n{:<34}", topic);
      for (const std::string &contender : contenders_) fmt::print("{:>16}", contender);
      fmt::print("\n");
    }
    fmt::print("{:<34}", one.name);
    const double base = low(one.values.at(contenders_[0]));
    std::string verdict;
    for (const std::string &contender : contenders_) {
      const auto found = one.values.find(contender);
      if (found == one.values.end()) {
        fmt::print("{:>16}", "");
        continue;
      }
      const double value = low(found->second);
      const double ratio = base / value;
      fmt::print("{:>9.1f} {:>5.2f}x", value, ratio);
      const auto target = targets_.find(one.topic + "/" + one.name + "/" + contender);
      if (target == targets_.end()) continue;
      const bool is_met = ratio >= target->second.must;
      if (!is_met) ++num_missed_;
      verdict +=
          fmt::format("  {} {}x: {}", contender, target->second.must, is_met ? "met" : "NOT MET");
    }
    for (const std::string &contender : contenders_) {
      const bool is_wanted = targets_.count(one.topic + "/" + one.name + "/" + contender) != 0;
      if (is_wanted && one.values.count(contender) == 0)
        verdict += fmt::format("  {}: not measured, not on this processor", contender);
    }
    fmt::print("{}\n", verdict);
  }
  std::fflush(stdout);
}

void Report::write_csv(const std::string &path) const {
  std::FILE *const file = std::fopen(path.c_str(), "w");
  if (file == nullptr) throw std::runtime_error("cannot write " + path);
  fmt::print(file, "topic,case,contender,value,ratio\n");
  for (const Case &one : cases_) {
    if (one.values.count(contenders_[0]) == 0) continue;
    const double base = low(one.values.at(contenders_[0]));
    for (const auto &[contender, values] : one.values) {
      // Names of cases may have a comma.
      fmt::print(file, "{},\"{}\",{},{:.2f},{:.3f}\n", one.topic, one.name, contender, low(values),
                 base / low(values));
    }
  }
  std::fclose(file);
}

int Report::finish() {
  print();
  if (const char *csv = std::getenv("WGPP_BENCH_CSV"); csv != nullptr) write_csv(csv);
  return num_missed_ == 0 ? 0 : 1;
}

int run_program(int (*body)(int argc, char **argv), int argc, char **argv) {
  try {
    return body(argc, argv);
  } catch (const std::exception &error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return 2;
  }
}

}  // namespace wgbench
