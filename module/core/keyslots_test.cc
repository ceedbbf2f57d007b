// SPDX-License-Identifier: GPL-2.0
#include "test_util.hh"

namespace {

int key_n, key_c, key_p, key_x;
void *const kN = &key_n;
void *const kC = &key_c;
void *const kP = &key_p;
void *const kX = &key_x;

std::vector<void *> list(const wgc_dropped &dropped) {
  return {dropped.keys, dropped.keys + dropped.num_keys};
}

void expect_slots(const wgc_keyslots &slots, void *next, void *current, void *previous) {
  EXPECT_EQ(slots.next_key, next);
  EXPECT_EQ(slots.current_key, current);
  EXPECT_EQ(slots.previous_key, previous);
}

using Keys = std::vector<void *>;

// One row for each of the eight ways in which slots can be filled.
TEST(Keyslots, InitiatorsKeyIsUsedAtOnce) {
  const struct {
    wgc_keyslots before;
    void *previous;
    Keys dropped;
  } kRows[] = {
      {{nullptr, nullptr, nullptr}, nullptr, {}},
      {{nullptr, nullptr, kP}, nullptr, {kP}},
      {{nullptr, kC, nullptr}, kC, {}},
      {{nullptr, kC, kP}, kC, {kP}},
      {{kN, nullptr, nullptr}, kN, {}},
      {{kN, nullptr, kP}, kN, {kP}},
      {{kN, kC, nullptr}, kN, {kC}},
      {{kN, kC, kP}, kN, {kP, kC}},
  };
  for (const auto &row : kRows) {
    wgc_keyslots slots = row.before;
    wgc_dropped dropped;
    wgc_keyslots_install(&slots, &dropped, kX, true);
    expect_slots(slots, nullptr, kX, row.previous);
    EXPECT_EQ(list(dropped), row.dropped);
  }
}

TEST(Keyslots, RespondersKeyWaitsInNext) {
  const struct {
    wgc_keyslots before;
    Keys dropped;
  } kRows[] = {
      {{nullptr, nullptr, nullptr}, {}}, {{nullptr, nullptr, kP}, {kP}},
      {{nullptr, kC, nullptr}, {}},      {{nullptr, kC, kP}, {kP}},
      {{kN, nullptr, nullptr}, {kN}},    {{kN, nullptr, kP}, {kP, kN}},
      {{kN, kC, nullptr}, {kN}},         {{kN, kC, kP}, {kP, kN}},
  };
  for (const auto &row : kRows) {
    wgc_keyslots slots = row.before;
    wgc_dropped dropped;
    wgc_keyslots_install(&slots, &dropped, kX, false);
    expect_slots(slots, kX, row.before.current_key, nullptr);
    EXPECT_EQ(list(dropped), row.dropped);
  }
}

TEST(Keyslots, DataUnderNextMakesItCurrent) {
  const struct {
    wgc_keyslots before;
    Keys dropped;
  } kRows[] = {
      {{kN, nullptr, nullptr}, {}},
      {{kN, nullptr, kP}, {kP}},
      {{kN, kC, nullptr}, {}},
      {{kN, kC, kP}, {kP}},
  };
  for (const auto &row : kRows) {
    wgc_keyslots slots = row.before;
    wgc_dropped dropped;
    EXPECT_TRUE(wgc_keyslots_confirm(&slots, &dropped, kN));
    expect_slots(slots, nullptr, kN, row.before.current_key);
    EXPECT_EQ(list(dropped), row.dropped);
    // The second packet under it finds it in place.
    EXPECT_FALSE(wgc_keyslots_confirm(&slots, &dropped, kN));
    expect_slots(slots, nullptr, kN, row.before.current_key);
    EXPECT_EQ(list(dropped), Keys{});
  }
}

TEST(Keyslots, DataUnderOtherKeysChangesNothing) {
  for (void *key : {kC, kP, kX}) {
    wgc_keyslots slots = {kN, kC, kP};
    wgc_dropped dropped;
    EXPECT_FALSE(wgc_keyslots_confirm(&slots, &dropped, key));
    expect_slots(slots, kN, kC, kP);
    EXPECT_EQ(list(dropped), Keys{});
  }
  wgc_keyslots empty = {};
  wgc_dropped dropped;
  EXPECT_FALSE(wgc_keyslots_confirm(&empty, &dropped, nullptr));
}

TEST(Keyslots, ClearDropsAllNextFirst) {
  wgc_keyslots slots = {kN, kC, kP};
  wgc_dropped dropped;
  wgc_keyslots_clear(&slots, &dropped);
  expect_slots(slots, nullptr, nullptr, nullptr);
  EXPECT_EQ(list(dropped), (Keys{kN, kP, kC}));
  wgc_keyslots_clear(&slots, &dropped);
  EXPECT_EQ(list(dropped), Keys{});
}

}  // namespace
