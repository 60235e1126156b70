// A calendar of short buckets for packets that lie in a store: a bucket is a list until its time comes, then it is put in order.
#pragma once
#include "network.hpp"

#include <bit>
#include <cmath>
#include <memory>

class Calendar {
 public:
  // A bucket holds about one of the ``per_second`` events; the calendar reaches over ``span``. Later events wait in a heap.
  // The store has room for ``room`` packets and does not move.
  Calendar(const Network& network, const Packet* store, std::size_t room, double per_second, Time span)
      : n_(network), store_(store), after_(new std::uint32_t[room]),
        bits_(std::max(0, static_cast<int>(std::log2(1e12 / per_second)))) {
    buckets_ = std::bit_ceil(static_cast<std::uint64_t>(span >> bits_) + 64);
    first_.assign(buckets_, none);
    occupied_.assign(buckets_ / 64, 0);
    order_.resize(64);
  }

  bool empty() const { return size_ == 0; }

  void insert(std::uint32_t id) {
    const Time time = store_[id].time;
    const std::int64_t bucket = time >> bits_;
    ++size_;
    if (static_cast<std::uint64_t>(bucket - now_ - 1) < buckets_ - 1) [[likely]] append(bucket, id);
    else if (bucket <= now_) place({time, id});
    else push_far({time, id});
  }

  struct Event {
    Time time;
    std::uint32_t id;
  };

  // The earliest event. It may not be asked for in an empty calendar.
  Event front() {
    while (begin_ == end_) open_next();
    return order_[begin_];
  }
  void pop_front() { ++begin_, --size_; }

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  bool before(const Event& a, const Event& b) const {
    if (a.time != b.time) [[likely]] return a.time < b.time;
    return n_.rank(store_[a.id]) < n_.rank(store_[b.id]);
  }
  void append(std::int64_t bucket, std::uint32_t id) {
    const std::uint64_t k = static_cast<std::uint64_t>(bucket) & (buckets_ - 1);
    after_[id] = first_[k];
    first_[k] = id;
    occupied_[k / 64] |= std::uint64_t{1} << k % 64;
  }
  // Into the order of the open bucket.
  void place(Event e) {
    if (end_ == order_.size()) [[unlikely]] order_.resize(2 * end_);
    std::size_t i = end_++;
    for (; i > begin_ && before(e, order_[i - 1]); --i) order_[i] = order_[i - 1];
    order_[i] = e;
  }
  void open_next() {
    std::int64_t bucket = next_occupied();
    if (!far_.empty() && far_.front().time >> bits_ <= bucket) [[unlikely]] bucket = fetch_far();
    now_ = bucket;
    begin_ = end_ = 0;
    const std::uint64_t k = static_cast<std::uint64_t>(bucket) & (buckets_ - 1);
    for (std::uint32_t id = first_[k]; id != none; id = after_[id]) place({store_[id].time, id});
    first_[k] = none;
    occupied_[k / 64] &= ~(std::uint64_t{1} << k % 64);
  }
  std::int64_t next_occupied() const {
    const std::uint64_t from = static_cast<std::uint64_t>(now_ + 1) & (buckets_ - 1);
    std::uint64_t word = from / 64, bits = occupied_[word] & ~std::uint64_t{0} << from % 64;
    for (std::size_t i = 0; bits == 0; ++i) {
      if (i == occupied_.size()) return INT64_MAX;
      word = word + 1 == occupied_.size() ? 0 : word + 1;
      bits = occupied_[word];
    }
    const std::uint64_t k = word * 64 + static_cast<std::uint64_t>(std::countr_zero(bits));
    return now_ + 1 + static_cast<std::int64_t>((k - from) & (buckets_ - 1));
  }
  static bool later(const Event& a, const Event& b) { return a.time > b.time; }
  [[gnu::noinline, gnu::cold]] void push_far(Event e) {
    far_.push_back(e);
    std::push_heap(far_.begin(), far_.end(), later);
  }
  // Move what comes within half of the reach into the buckets; return the first bucket.
  [[gnu::noinline, gnu::cold]] std::int64_t fetch_far() {
    const std::int64_t bucket = far_.front().time >> bits_;
    while (!far_.empty() && (far_.front().time >> bits_) - bucket < static_cast<std::int64_t>(buckets_ / 2)) {
      append(far_.front().time >> bits_, far_.front().id);
      std::pop_heap(far_.begin(), far_.end(), later);
      far_.pop_back();
    }
    return bucket;
  }

  const Network& n_;
  const Packet* store_;
  std::unique_ptr<std::uint32_t[]> after_;
  int bits_;
  std::uint64_t buckets_;
  std::int64_t now_ = -1;  // the open bucket
  std::vector<std::uint32_t> first_;
  std::vector<std::uint64_t> occupied_;
  std::vector<Event> order_, far_;
  std::size_t begin_ = 0, end_ = 0, size_ = 0;
};
