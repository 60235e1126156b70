// Workloads W1 and W2 (bench/w1.py) as the simplest loop with the same result: no heap, no features, no checks.
//
// Time advances in windows of the smallest delay, so that packets sent in a window arrive in a later one and each node is
// visited once a window, upstream first. Each link is a ring in order of arrival. Exponential gaps are sorted in each window;
// the links of several correspondents are merged by comparing their heads.
//
//   floor mobiles=1000 seconds=60 tunnel=0 scale=1 correspondents=1 draws=FILE
#include "../peers/peer.hpp"

namespace {

struct Packet {
  Time arrival;
  Time born;
  std::uint32_t mobile;
  std::uint32_t size;
};

class Ring {
 public:
  bool before(Time end) const { return head_ != tail_ && slots_[head_ & mask_].arrival < end; }
  bool empty() const { return head_ == tail_; }
  const Packet& front() const { return slots_[head_ & mask_]; }
  const Packet& pop() { return slots_[head_++ & mask_]; }
  void push(const Packet& p) {
    if (tail_ - head_ > mask_) grow();
    slots_[tail_++ & mask_] = p;
  }

 private:
  void grow() {
    std::vector<Packet> larger(2 * slots_.size());
    std::uint32_t n = 0;
    while (head_ != tail_) larger[n++] = pop();
    slots_.swap(larger);
    mask_ = static_cast<std::uint32_t>(slots_.size()) - 1;
    head_ = 0;
    tail_ = n;
  }

  std::vector<Packet> slots_ = std::vector<Packet>(2);
  std::uint32_t mask_ = 1, head_ = 0, tail_ = 0;
};

struct Wire {
  Link link;
  Ring ring;
  explicit Wire(const Link& l) : link(l) {}
};

struct Stream {
  Time next;
  std::uint32_t mobile;
  std::uint64_t sent = 0;
};

struct Correspondent {
  Wire wire;
  std::vector<Stream> streams;
  std::size_t turn = 0;
  explicit Correspondent(const Link& l) : wire(l) {}
};

class Loop {
 public:
  explicit Loop(const Workload& w)
      : w_(w), gap_(w.period), from_(w.correspondents, Correspondent(w.backbone())), access_(routers, Wire(w.access())), radio_(w.mobiles, Wire(w.radio())), listed_(w.mobiles) {
    Phases phases(w.period);
    for (std::uint32_t m = 0; m < w.mobiles; ++m) {
      const Time first = w.draws.empty() ? phases.next() : gap_(w.draws[m], 0);
      from_[m % w.correspondents].streams.push_back({first, m});
    }
    for (Correspondent& c : from_) std::sort(c.streams.begin(), c.streams.end(), [](const Stream& a, const Stream& b) { return a.next < b.next; });
  }

  Outcome run() {
    const Time window = radio_.front().link.delay;
    for (Time begin = 0; begin < w_.until; begin += window) {
      const Time end = std::min(begin + window, w_.until);
      for (Correspondent& c : from_) w_.draws.empty() ? emit(c, end) : emit_sorted(c, end);
      from_.size() == 1 ? home_agent(from_[0].wire.ring, end) : merge(end);
      for (Wire& in : access_) router(in, end);
      receive(end);
    }
    return out_;
  }

 private:
  void emit(Correspondent& c, Time end) {  // periods are equal, so the streams stay in the order of their phases
    while (!c.streams.empty() && c.streams[c.turn].next < end) {
      Stream& s = c.streams[c.turn];
      transmit(c.wire, {s.next, s.next, s.mobile, packet_bytes});
      s.next += w_.period;
      if (++c.turn == c.streams.size()) c.turn = 0;
    }
  }

  void emit_sorted(Correspondent& c, Time end) {
    batch_.clear();
    for (Stream& s : c.streams) {
      for (; s.next < end; s.next += gap_(w_.draws[s.mobile], ++s.sent)) batch_.push_back({s.next, s.mobile});
    }
    std::sort(batch_.begin(), batch_.end(), [](const Stream& a, const Stream& b) { return a.next < b.next; });
    for (const Stream& s : batch_) transmit(c.wire, {s.next, s.next, s.mobile, packet_bytes});
  }

  void home_agent(Ring& in, Time end) {
    while (in.before(end)) forward(in.pop());
  }

  void merge(Time end) {
    for (;;) {
      Ring* first = nullptr;
      Time soonest = end;
      for (Correspondent& c : from_) {
        if (c.wire.ring.before(soonest)) {
          first = &c.wire.ring;
          soonest = first->front().arrival;
        }
      }
      if (first == nullptr) return;
      forward(first->pop());
    }
  }

  void forward(Packet p) {
    if (w_.tunnel) p.size += tunnel_header;
    transmit(access_[w_.care_of(p.mobile)], p);
  }

  void router(Wire& in, Time end) {
    while (in.ring.before(end)) {
      Packet p = in.ring.pop();
      if (w_.tunnel) p.size -= tunnel_header;
      if (transmit(radio_[p.mobile], p) && !listed_[p.mobile]) {
        listed_[p.mobile] = 1;
        busy_.push_back(p.mobile);
      }
    }
  }

  void receive(Time end) {
    std::size_t kept = 0;
    for (const std::uint32_t mobile : busy_) {
      Ring& in = radio_[mobile].ring;
      while (in.before(end)) {
        const Packet& p = in.pop();
        ++out_.delivered;
        out_.delay_sum += p.arrival - p.born;
      }
      if (in.empty()) listed_[mobile] = 0;
      else busy_[kept++] = mobile;
    }
    busy_.resize(kept);
  }

  bool transmit(Wire& wire, Packet p) {
    if (!wire.link.accept(p.arrival, static_cast<int>(p.size))) {
      ++out_.dropped;
      return false;
    }
    p.arrival = wire.link.arrival();
    wire.ring.push(p);
    return true;
  }

  const Workload& w_;
  Gaps gap_;
  std::vector<Correspondent> from_;
  std::vector<Wire> access_, radio_;
  std::vector<Stream> batch_;  // packets of one window
  std::vector<std::uint8_t> listed_;  // true for mobiles in busy_
  std::vector<std::uint32_t> busy_;   // mobiles with packets on the radio
  Outcome out_;
};

}  // namespace

int main(int argc, char** argv) {
  const Workload workload(argc, argv);
  return report("floor", Loop(workload));
}
