// SPDX-License-Identifier: GPL-2.0
// Runs benchmarks in turn and prints one line for each case, with one column for each contender.
#pragma once

#include <benchmark/benchmark.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace wgbench {

// What wgpp has to reach beside the first contender, and what it should.
struct Target {
  double must = 0;
};

// Collects the repetitions of benchmarks named "TOPIC/CASE/CONTENDER", each with a counter
// "cycles", the cycles of one operation, and prints the fifth percentile of each: the machine's
// other work only adds. Repetitions of all benchmarks have been interleaved at random, so that a
// slow minute is everybody's.
class Report : public benchmark::BenchmarkReporter {
 public:
  // contenders: the first is who the others are compared with.
  Report(std::vector<std::string> contenders, std::map<std::string, Target> targets)
      : contenders_(std::move(contenders)), targets_(std::move(targets)) {}

  bool ReportContext(const Context &) override { return true; }
  void ReportRuns(const std::vector<Run> &runs) override;
  // The table, and the file that WGPP_BENCH_CSV names. Not at the end of a run of benchmarks, of
  // which there may be several. Returns the program's status: 1 when a target was missed.
  int finish();

  // Fixes the order in which cases are printed; repetitions come in any.
  void declare(const std::string &topic, const std::string &name) { find_case(topic, name); }

  // Adds a value that no benchmark measures; less is better.
  void add(const std::string &topic, const std::string &name, const std::string &contender,
           double value);

 private:
  struct Case {
    std::string topic;
    std::string name;
    std::map<std::string, std::vector<double>> values;
  };
  void print();
  // For programs: topic,case,contender,value,ratio.
  void write_csv(const std::string &path) const;
  Case &find_case(const std::string &topic, const std::string &name);
  static double low(std::vector<double> values);

  std::vector<std::string> contenders_;
  std::map<std::string, Target> targets_;  // by "TOPIC/CASE/CONTENDER"
  std::vector<Case> cases_;
  int num_missed_ = 0;
};

// Flags for all programs: interleaved repetitions.
void initialize(int *argc, char **argv);

// What main() does: the status of body, or 2 and a line that says what went wrong.
int run_program(int (*body)(int argc, char **argv), int argc, char **argv);

}  // namespace wgbench
